"""Who may do what where people sign in: roles, kept with the ledger.

A viewer looks; a tagger also tags, comments and answers; a lead also launches, changes labels and
looks at the test set. Each holds what those before it hold.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.ledger.event import Event
from gapwise.ledger.ledger import Ledger

Role = Literal["viewer", "tagger", "lead"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

KIND: Final = "role"
DATASET: Final = "gapwise:team"
NONE: Final = "none"
"""What takes a role away."""


def holds(own: Role | None, needed: Role) -> bool:
    """Return whether somebody with the role ``own`` may do what asks for ``needed``."""
    return own is not None and ROLES.index(own) >= ROLES.index(needed)


def grant(ledger: Ledger, person: str, role: str, *, author: str) -> Event:
    """Give a person a role, in the place of the one before; ``none`` takes it away.

    Raises:
        UsageError: there is no such role, or the person is no e-mail address.
    """
    name = normal(person)
    if role not in (*ROLES, NONE):
        raise UsageError(f"role {shown(role)!r}: {did_you_mean(role, (*ROLES, NONE))}")
    if "@" not in name:
        raise UsageError(f"person {shown(person)!r} is no e-mail address; people sign in by theirs")
    return ledger.append(
        dataset=DATASET, example_id=name, kind=KIND, value={"role": role}, author=author
    )


def roles(ledger: Ledger) -> Mapping[str, Role]:
    """Return who holds which role: e-mail address in small letters → role."""
    found: dict[str, Role] = {}
    for event in ledger.events(kind=KIND, dataset=DATASET):
        found.pop(event.example_id, None)
        if event.value["role"] != NONE:
            found[event.example_id] = event.value["role"]
    return found


def normal(person: str) -> str:
    """Return an e-mail address as it is compared: without spaces around, in small letters."""
    return person.strip().lower()
