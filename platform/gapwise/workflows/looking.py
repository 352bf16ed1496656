"""Looks at the test set are counted before anything of it is shown."""

from collections.abc import Sequence

from gapwise.ledger import looks
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.stored import StoredRun
from gapwise.workflows.author import author


def count_looks(runs: Sequence[StoredRun], settings: Settings) -> None:
    """Note one look for each dataset whose test errors are about to be seen."""
    ledger = Ledger(settings.ledger_url)
    for dataset in sorted({run.dataset for run in runs}):
        seen = sorted({run.run_id for run in runs if run.dataset == dataset})
        looks.look(ledger, seen, dataset=dataset, author=author())
