"""Compare two stored runs on the examples that both predicted."""

from gapwise.diagnostics.compare import Comparison, compare
from gapwise.errors import DataError
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun


def compare_runs(
    a: str,
    b: str,
    split: str = "dev",
    experiment: str | None = None,
    settings: Settings | None = None,
) -> Comparison:
    """Compare the runs ``a`` and ``b`` on one split.

    Raises:
        DataError: a run is unknown or has no such predictions, or nothing can be compared.
    """
    store = RunStore(settings or Settings.read())
    runs = [store.open(ref, experiment) for ref in (a, b)]
    first, second = (_predictions(run, split) for run in runs)
    return compare(first, second, pipelines=(runs[0].pipeline(), runs[1].pipeline()))


def _predictions(run: StoredRun, split: str) -> Predictions:
    path = run.predictions_path(split)
    if path is None:
        known = ", ".join(run.splits()) or "none"
        raise DataError(
            f"run {run.run_id} ({run.name}) has no predictions of {split!r}; it has: {known}"
        )
    return tables.read(path, split=split)
