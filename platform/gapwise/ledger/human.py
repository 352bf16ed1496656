"""Human levels that somebody measured; the latest statement about a dataset counts."""

from collections.abc import Sequence
from numbers import Integral, Real

from gapwise.errors import UsageError, shown
from gapwise.ledger.event import Event
from gapwise.ledger.ledger import Ledger
from gapwise.records import HumanLevel

KIND = "human_level"


def valid(level: HumanLevel) -> HumanLevel:
    """Return a level that can be measured, in Python's own numbers.

    Raises:
        UsageError: the error is outside [0, 1], n is no count, or the distribution is unknown.
    """
    if not isinstance(level, HumanLevel):
        raise UsageError(
            f"human level {shown(level)!r} is no HumanLevel; write HumanLevel(error=0.05, n=200)"
        )
    error, n = level.error, level.n
    if not isinstance(error, Real) or isinstance(error, bool) or not 0 <= error <= 1:
        raise UsageError(f"human error {shown(error)} is no fraction in [0, 1]; write 0.05 for 5 %")
    if n is not None and (not isinstance(n, Integral) or isinstance(n, bool) or n < 1):
        raise UsageError(f"n {shown(n)} of a human level is no count; write 1 or more, or leave it")
    if level.distribution not in ("train", "target"):
        raise UsageError(
            f"distribution {shown(level.distribution)!r} of a human level is not known; "
            "write train or target"
        )
    return HumanLevel(
        error=float(error),
        n=None if n is None else int(n),
        distribution=level.distribution,
        source=level.source,
        name=level.name,
    )


def state(ledger: Ledger, dataset: str, levels: Sequence[HumanLevel], *, author: str) -> Event:
    """Note the measured human levels of a dataset; they replace what was stated before.

    Raises:
        UsageError: a level cannot be one.
    """
    value = {"levels": [vars(valid(level)) for level in levels]}
    return ledger.append(dataset=dataset, kind=KIND, value=value, author=author)


def levels(ledger: Ledger, dataset: str, until: int | None = None) -> list[HumanLevel]:
    """Return the human levels that hold at a revision: all of the latest statement."""
    events = ledger.events(kind=KIND, dataset=dataset, until=until)
    if not events:
        return []
    value = events[-1].value
    # An event of one level, as they were before a statement could hold several.
    return [HumanLevel(**level) for level in value.get("levels", [value])]
