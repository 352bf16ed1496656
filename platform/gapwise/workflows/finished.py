"""The finished runs of an experiment: what can be chosen among, ranked or re-scored."""

from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.tracking.store import PARTS, RunStore
from gapwise.tracking.stored import StoredRun


def finished(store: RunStore, wanted: str | None) -> tuple[str, list[StoredRun]]:
    """Return an experiment, by default that of the latest run, and its finished runs.

    Runs that a learning curve trained on parts of the data are left out.

    Raises:
        UsageError: there is no such experiment, or it has no finished run.
    """
    experiments = store.experiments()
    if not experiments:
        raise UsageError("there are no runs yet; `gapwise train PIPELINE` makes one")
    if wanted is not None and wanted not in experiments:
        raise UsageError(
            f"there is no experiment {shown(wanted)!r}; {did_you_mean(wanted, experiments)}"
        )
    experiment = wanted or store.open("latest").experiment
    rows = store.rows(experiment)
    ids = [
        run_id
        for run_id, status, kind in zip(rows["run_id"], rows["status"], rows["kind"], strict=True)
        if status == "FINISHED" and kind not in PARTS
    ]
    if not ids:
        raise UsageError(f"experiment {shown(experiment)!r} has no finished run; train one first")
    return experiment, [store.open(str(run_id)) for run_id in ids]
