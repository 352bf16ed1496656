"""What the ledger says of a dataset's tags and labels, kept and brought further at each question.

Pages and routes ask at every key press: only events since the last question are read.
"""

from dataclasses import dataclass, field
from functools import cache
from threading import Lock

from gapwise.ledger import labels, tags
from gapwise.ledger.labels import LabelBook
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.tags import TagBook
from gapwise.settings import Settings


@dataclass
class Books:
    """The tags and labels of one dataset."""

    ledger: Ledger
    dataset: str
    tags: TagBook = field(default_factory=TagBook)
    labels: LabelBook = field(default_factory=LabelBook)
    guard: Lock = field(default_factory=Lock)

    def read(self) -> "Books":
        """Take what happened since."""
        known = ((self.tags, tags.KINDS), (self.labels, labels.KINDS))
        with self.guard:
            for book, kinds in known:
                book.take(self.ledger.events(kind=kinds, dataset=self.dataset, after=book.revision))
        return self


def ledger() -> Ledger:
    """Return the ledger of this project."""
    return _ledger(Settings.read().ledger_url)


def of_dataset(dataset: str) -> Books:
    """Return the books of a dataset as they stand now."""
    return _books(Settings.read().ledger_url, dataset).read()


@cache
def _ledger(url: str) -> Ledger:
    return Ledger(url)


@cache
def _books(url: str, dataset: str) -> Books:
    return Books(ledger=_ledger(url), dataset=dataset)
