"""`gapwise field`: note how often a run errs in use, and see what that adds to its ladder."""

from gapwise.ledger import field
from gapwise.ledger.ledger import Ledger
from gapwise.records import Diagnosis
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows.author import author
from gapwise.workflows.diagnose import diagnose_runs


def state_field(
    ref: str, error: float, n: int, source: str, *, settings: Settings | None = None
) -> Diagnosis:
    """Note the error of a run in use, and return its diagnosis with that rung.

    Raises:
        UsageError: no such run, an error that is no fraction, or an n that is no count.
        DataError: the run has no predictions.
    """
    settings = settings or Settings.read()
    run = RunStore(settings).open(ref)
    field.state(
        Ledger(settings.ledger_url),
        dataset=run.dataset,
        run_id=run.run_id,
        error=error,
        n=n,
        source=source,
        author=author(),
    )
    return diagnose_runs([run.run_id], settings=settings)
