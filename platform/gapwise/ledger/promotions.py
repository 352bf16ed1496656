"""Which run a team chose to use, and why: one entry each time that an alias moves."""

from collections.abc import Mapping, Sequence
from typing import Any

from gapwise.ledger.event import Event
from gapwise.ledger.ledger import Ledger

KIND = "promotion"


def promote(  # noqa: PLR0913 - an event's fields, all by keyword
    ledger: Ledger,
    *,
    dataset: str,
    model: str,
    alias: str,
    run_id: str,
    decision: Mapping[str, Any],
    author: str,
    reason: str,
) -> Event:
    """Note that ``alias`` of ``model`` names ``run_id`` from now on.

    Args:
        ledger: where.
        dataset: what the run was judged on.
        model, alias, run_id: what moved whereto.
        decision: what it was based on, as JSON.
        author: who decided.
        reason: why, "" where the numbers alone decided.
    """
    value = {"model": model, "alias": alias, "run_id": run_id, **decision}
    return ledger.append(dataset=dataset, kind=KIND, value=value, author=author, reason=reason)


def history(ledger: Ledger, model: str, alias: str) -> Sequence[Event]:
    """Return every promotion to an alias of a model, in their order."""
    events = ledger.events(kind=KIND)
    return [e for e in events if (e.value["model"], e.value["alias"]) == (model, alias)]
