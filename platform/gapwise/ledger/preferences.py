"""Which of two runs people find better, whatever a metric says (notes 4.6)."""

from dataclasses import dataclass

from gapwise.ledger.event import Event
from gapwise.ledger.ledger import Ledger

KIND = "preference"


@dataclass(frozen=True, kw_only=True)
class Preference:
    """People find ``better`` better than ``worse`` (run ids)."""

    better: str
    worse: str
    why: str = ""
    author: str = ""


def prefer(ledger: Ledger, preference: Preference, *, dataset: str) -> Event:
    """Note a preference; it takes the place of an earlier one about the same two runs."""
    value = {"better": preference.better, "worse": preference.worse, "withdrawn": False}
    return ledger.append(
        dataset=dataset, kind=KIND, value=value, author=preference.author, reason=preference.why
    )


def withdraw(ledger: Ledger, preference: Preference, *, dataset: str) -> Event:
    """Note that nothing is preferred between the two runs any more; the past stays to be read."""
    value = {"better": preference.better, "worse": preference.worse, "withdrawn": True}
    return ledger.append(
        dataset=dataset, kind=KIND, value=value, author=preference.author, reason=preference.why
    )


def stated(ledger: Ledger, dataset: str) -> list[Preference]:
    """Return the preferences that stand, in the order in which they were stated."""
    standing: dict[frozenset[str], Preference] = {}
    for event in ledger.events(kind=KIND, dataset=dataset):
        pair = frozenset((event.value["better"], event.value["worse"]))
        standing.pop(pair, None)
        if not event.value["withdrawn"]:
            standing[pair] = Preference(
                better=event.value["better"],
                worse=event.value["worse"],
                why=event.reason,
                author=event.author,
            )
    return list(standing.values())
