"""Stored predictions as the labels stand: every reader of predictions comes through here."""

from collections.abc import Mapping, Sequence

from gapwise.diagnostics.relabelled import relabelled
from gapwise.errors import UsageError
from gapwise.ledger import labels
from gapwise.ledger.ledger import Ledger
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.stored import StoredRun

_NEEDED = ("example_id", "target", "predicted", "error")


def labels_at(dataset: str, settings: Settings, revision: int | None = None) -> Mapping[str, str]:
    """Return example → label at a revision, for every example that was ever reviewed.

    Args:
        dataset: whose examples.
        settings: where the ledger is.
        revision: a position in the ledger; None for the newest, 0 for the labels of the data.

    Raises:
        UsageError: the ledger has no such revision yet.
    """
    ledger = Ledger(settings.ledger_url)
    check_revision(ledger, revision)
    return labels.book(ledger, dataset, revision).labels()


def check_revision(ledger: Ledger, revision: int | None) -> None:
    """Refuse a revision that is not there.

    Raises:
        UsageError: it lies below 0 or beyond the ledger's last.
    """
    if revision is None:
        return
    newest = ledger.revision()
    if not 0 <= revision <= newest:
        raise UsageError(
            f"label revision {revision} is not there; write one from 0 (the labels of the data) "
            f"to {newest} (now)"
        )


def read(
    run: StoredRun,
    split: str,
    settings: Settings,
    *,
    columns: Sequence[str] | None = None,
    revision: int | None = None,
) -> Predictions:
    """Return the predictions of a run and split under the labels of a revision, by default now.

    Raises:
        DataError: the run has none, or they cannot be read.
        UsageError: the ledger has no such revision.
    """
    path = run.needed_predictions(split)
    known = labels_at(run.dataset, settings, revision)
    if known and columns is not None:
        columns = list(dict.fromkeys([*columns, *_NEEDED]))
    return relabelled(tables.read(path, columns=columns, split=split), known)
