"""The team as a command shows it: who holds which role, and a role given or taken away."""

from typing import Any

from gapwise.ledger import team
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.workflows.author import author


def people(
    person: str | None = None,
    role: str | None = None,
    settings: Settings | None = None,
    *,
    prepares: bool = False,
) -> list[dict[str, Any]]:
    """Return people and their roles, after ``person`` was given ``role`` where both are named.

    ``prepares`` makes the ledger's tables first, or brings them up to date.

    Raises:
        UsageError: no such role, or no e-mail address.
    """
    ledger = Ledger((settings or Settings.read()).ledger_url)
    if prepares:
        ledger.prepare()
    if person is not None and role is not None:
        team.grant(ledger, person, role, author=author())
    found = team.roles(ledger)
    wanted = sorted(found) if person is None or role is not None else [team.normal(person)]
    return [{"person": name, "role": found.get(name, team.NONE)} for name in wanted]
