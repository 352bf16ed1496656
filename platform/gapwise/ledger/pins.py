"""Runs that nobody may retire, whatever rule."""

from gapwise.ledger.event import Event
from gapwise.ledger.ledger import Ledger

KIND = "pin"


def pin(ledger: Ledger, run_id: str, *, dataset: str, author: str, on: bool = True) -> Event:
    """Pin a run, or let it go again."""
    value = {"run_id": run_id, "on": on}
    return ledger.append(dataset=dataset, kind=KIND, value=value, author=author)


def pinned(ledger: Ledger) -> set[str]:
    """Return the runs that are pinned."""
    last = {event.value["run_id"]: event.value["on"] for event in ledger.events(kind=KIND)}
    return {run_id for run_id, on in last.items() if on}
