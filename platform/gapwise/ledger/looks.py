"""Looks at the test set: each is counted, since each is a chance to choose by it (notes 4.5)."""

from collections.abc import Sequence

from gapwise.ledger.event import Event
from gapwise.ledger.ledger import Ledger

KIND = "test_look"


def look(ledger: Ledger, run_ids: Sequence[str], *, dataset: str, author: str) -> Event:
    """Note that ``author`` saw the test errors of these runs; call it before showing them."""
    value = {"run_ids": sorted(run_ids)}
    return ledger.append(dataset=dataset, kind=KIND, value=value, author=author)


def count(ledger: Ledger, dataset: str) -> int:
    """Return how often anybody looked at this dataset's test errors."""
    return len(ledger.events(kind=KIND, dataset=dataset))


def seen(ledger: Ledger, dataset: str) -> set[str]:
    """Return the runs whose test errors somebody looked at."""
    events = ledger.events(kind=KIND, dataset=dataset)
    return {str(run_id) for event in events for run_id in event.value["run_ids"]}
