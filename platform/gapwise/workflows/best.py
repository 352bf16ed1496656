"""The best run to hold another against."""

from gapwise.tracking.store import BEST_BY, RunStore
from gapwise.tracking.stored import StoredRun

DEV_ERRORS = (*BEST_BY, "dev/error")
"""Metrics of a dev error, the first that a run has; a recorded run has the last."""


def best_other(store: RunStore, run: StoredRun) -> StoredRun | None:
    """Return the finished run of the same experiment and dataset with the lowest dev error.

    ``run`` itself does not count; None where there is no other. The lowest of many is a little too
    good (diagnosis.md, "Dev has not been used up"), so it is a strict reference.
    """
    rows = store.rows(run.experiment)
    others = rows[
        (rows["status"] == "FINISHED")
        & (rows["dataset"] == run.dataset)
        & (rows["run_id"] != run.run_id)
    ]
    known = [f"metric.{name}" for name in DEV_ERRORS if f"metric.{name}" in others]
    if others.empty or not known:
        return None
    errors = others[known].astype(float).bfill(axis=1).iloc[:, 0]
    if errors.isna().all():
        return None
    return store.open(str(others["run_id"].iloc[int(errors.argmin())]))
