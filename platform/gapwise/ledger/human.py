"""Human levels that somebody measured; the latest of a distribution counts."""

from gapwise.ledger.event import Event
from gapwise.ledger.ledger import Ledger
from gapwise.records import HumanLevel

KIND = "human_level"


def state(ledger: Ledger, dataset: str, level: HumanLevel, *, author: str) -> Event:
    """Note a measured human level of a dataset."""
    value = {
        "error": level.error,
        "n": level.n,
        "distribution": level.distribution,
        "source": level.source,
    }
    return ledger.append(dataset=dataset, kind=KIND, value=value, author=author)


def levels(ledger: Ledger, dataset: str, until: int | None = None) -> list[HumanLevel]:
    """Return the human levels that hold at a revision, at most one a distribution."""
    found = {}
    for event in ledger.events(kind=KIND, dataset=dataset, until=until):
        level = HumanLevel(**event.value)
        found[level.distribution] = level
    return list(found.values())
