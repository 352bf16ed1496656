"""`gapwise rescore`: every stored run before and after labels were corrected."""

from collections.abc import Sequence

from gapwise.diagnostics.rescore import Rescored, RunPaths, rescore
from gapwise.errors import DataError, shown
from gapwise.ledger import labels
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows.finished import finished
from gapwise.workflows.labelled import check_revision
from gapwise.workflows.looking import count_looks


def rescore_runs(
    experiment: str | None = None,
    before: int = 0,
    after: int | None = None,
    *,
    test: bool = False,
    settings: Settings | None = None,
) -> Rescored:
    """Return the finished runs of an experiment under two label revisions, ranked by dev error.

    Args:
        experiment: whose runs; None: that of the latest run.
        before, after: positions in the ledger; 0 is how the data came, None is now.
        test: show the test rung too; the look is counted.
        settings: where runs and the ledger are.

    Raises:
        UsageError: no such experiment or revision.
        DataError: the runs are of several datasets, or none has predictions of dev.
    """
    settings = settings or Settings.read()
    ledger = Ledger(settings.ledger_url)
    for revision in (before, after):
        check_revision(ledger, revision)
    name, runs = finished(RunStore(settings), experiment)
    datasets = sorted({run.dataset for run in runs})
    if len(datasets) > 1:
        raise DataError(
            f"the runs of {shown(name)} are of {len(datasets)} datasets ({', '.join(datasets)}); "
            "name an experiment on one"
        )
    if test:
        count_looks(runs, settings)
    ends = (before, ledger.revision() if after is None else after)
    found = [labels.book(ledger, datasets[0], revision).labels() for revision in ends]
    return rescore([_paths(run, test=test) for run in runs], (found[0], found[1]), revisions=ends)


def revisions(dataset: str, settings: Settings) -> Sequence[tuple[int, str, str]]:
    """Return the revisions at which a dataset's labels changed: position, author and time."""
    events = Ledger(settings.ledger_url).events(kind=labels.LABEL, dataset=dataset)
    return [(event.seq, event.author, event.utc) for event in events]


def _paths(run: StoredRun, *, test: bool) -> RunPaths:
    splits = [split for split in run.splits() if test or split != "test"]
    paths = {split: path for split in splits if (path := run.predictions_path(split)) is not None}
    return RunPaths(run_id=run.run_id, name=run.name, paths=paths)
