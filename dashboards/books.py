"""What the ledger says of a dataset's tags and labels, kept and brought further at each question.

Pages and routes ask at every key press: only events since the last question are read.
"""

from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Final

from gapwise.ledger import labels, tags
from gapwise.ledger.labels import LabelBook
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.tags import TagBook
from gapwise.settings import Settings

KINDS: Final = (*tags.KINDS, *labels.KINDS)


@dataclass
class Books:
    """The tags and labels of one dataset."""

    ledger: Ledger
    dataset: str
    tags: TagBook = field(default_factory=TagBook)
    labels: LabelBook = field(default_factory=LabelBook)
    seen: int = 0
    guard: Lock = field(default_factory=Lock)

    def read(self) -> "Books":
        """Take what happened since; books that somebody is reading stay as they are."""
        with self.guard:
            fresh = self.ledger.events(kind=KINDS, dataset=self.dataset, after=self.seen)
            if tagged := [event for event in fresh if event.kind in tags.KINDS]:
                self.tags = self.tags.further(tagged)
            if reviewed := [event for event in fresh if event.kind in labels.KINDS]:
                self.labels = self.labels.further(reviewed)
            self.seen = fresh[-1].seq if fresh else self.seen
        return self


@dataclass
class Untagged:
    """How far a ledger went, but for tags: those come by the second and move no error."""

    ledger: Ledger
    seen: int = 0
    last: int = 0
    guard: Lock = field(default_factory=Lock)

    def read(self) -> int:
        """Return the position of the last event that is no tag; only new ones are looked at."""
        with self.guard:
            newest = self.ledger.revision()
            if newest > self.seen:
                self.last = self.ledger.revision(without=tags.KINDS, after=self.last)
                self.seen = newest
            return self.last


def revision(*, tags: bool) -> int:
    """Return how far the ledger went, with or without its tags."""
    url = Settings.read().ledger_url
    return _ledger(url).revision() if tags else _untagged(url).read()


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
def _untagged(url: str) -> Untagged:
    return Untagged(_ledger(url))


@cache
def _books(url: str, dataset: str) -> Books:
    return Books(ledger=_ledger(url), dataset=dataset)
