"""The error of a run in use, as somebody measured it there; the latest statement counts."""

from collections.abc import Mapping
from typing import Any

from gapwise.errors import UsageError, shown
from gapwise.ledger.event import Event
from gapwise.ledger.ledger import Ledger

KIND = "field_error"


def state(  # noqa: PLR0913 - an event's fields, all by keyword
    ledger: Ledger,
    *,
    dataset: str,
    run_id: str,
    error: float,
    n: int,
    source: str,
    author: str,
) -> Event:
    """Note how often a run errs in use; it replaces what was stated of that run before.

    Args:
        ledger: where.
        dataset: what the run was judged on before.
        run_id: the run that is in use.
        error: share of ``n`` answers in use that were wrong.
        n: answers that somebody judged.
        source: who judged them, and where.
        author: who states it.

    Raises:
        UsageError: the error is no fraction, or n no count.
    """
    if not 0 <= error <= 1:
        raise UsageError(f"field error {shown(error)} is no fraction in [0, 1]; write 0.05 for 5 %")
    if n < 1:
        raise UsageError(f"n {shown(n)} of a field error is no count; write 1 or more")
    value = {"run_id": run_id, "error": float(error), "n": int(n), "source": source}
    return ledger.append(dataset=dataset, kind=KIND, value=value, author=author)


def latest(ledger: Ledger, dataset: str, run_id: str) -> Mapping[str, Any] | None:
    """Return what was last stated of a run: its error, n and source; None where nothing was."""
    events = [e for e in ledger.events(kind=KIND, dataset=dataset) if e.value["run_id"] == run_id]
    return events[-1].value if events else None
