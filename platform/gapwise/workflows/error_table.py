"""`gapwise errors`: the error table of a run, from its predictions and the tags of the ledger."""

from gapwise.diagnostics.error_table import SAMPLE, ErrorTable, Tagged, error_table
from gapwise.errors import UsageError
from gapwise.ledger import tags
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.tags import TagBook
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import labelled
from gapwise.workflows.looking import count_looks
from gapwise.workflows.split_names import split_named

COLUMNS = ("example_id", "target", "predicted", "error", "weight", "group")


def error_table_of(
    ref: str, split: str = "dev", sample: int = SAMPLE, *, settings: Settings | None = None
) -> ErrorTable:
    """Return what share of a run's errors each tag holds, and what fixing it gains.

    Args:
        ref: the run.
        split: which; a look at test is counted.
        sample: how many errors the random sample states at least.
        settings: where runs and the ledger are.

    Raises:
        UsageError: no such run or split, or a sample below 1.
        DataError: the run has no such predictions.
    """
    settings = settings or Settings.read()
    split = split_named(split)
    if sample < 1:
        raise UsageError(f"--sample {sample} holds nothing; write 1 or more")
    run = RunStore(settings).open(ref)
    run.needed_predictions(split)
    if split == "test":
        count_looks([run], settings)
    table = labelled.read(run, split, settings, columns=COLUMNS)
    return of_book(run.run_id, table, tags.book(Ledger(settings.ledger_url), run.dataset), sample)


def of_book(run_id: str, table: Predictions, book: TagBook, sample: int = SAMPLE) -> ErrorTable:
    """Return the error table of predictions under the tags of a book."""
    tagged = Tagged(
        tags=book.tags,
        read=book.read,
        efforts={name: one.effort for name, one in book.settings.items()},
        comments=book.comments,
    )
    return error_table(table, tagged, run_id=run_id, least=sample)


def of_run(run: StoredRun, settings: Settings, revision: int | None = None) -> ErrorTable | None:
    """Return the error table of a run's dev errors at a revision; None where nobody read any."""
    if "dev" not in run.splits():
        return None
    book = tags.book(Ledger(settings.ledger_url), run.dataset, revision)
    if not book.read:
        return None
    table = labelled.read(run, "dev", settings, columns=COLUMNS, revision=revision)
    return of_book(run.run_id, table, book)
