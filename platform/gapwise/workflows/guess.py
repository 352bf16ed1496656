"""What `gapwise init` makes of data that it was shown: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A reader with its options, and what it will find.

    Attributes:
        reader: the dataset part that reads it.
        options: the part's options, in the order in which they are written.
        says: what was guessed, one sentence each.
        classes: class → examples; empty where the label is a number.
        sources: source → examples; empty where no column names them.
        shape: of one example: (channels, height, width) or (features,).
        numbers: how many examples have a label that is a number; 0 where labels are classes.
        positive: whether all of these numbers are above 0.
    """

    reader: str
    options: Mapping[str, Any]
    says: tuple[str, ...]
    classes: Mapping[str, int]
    sources: Mapping[str, int] = field(default_factory=dict)
    shape: tuple[int, ...]
    numbers: int = 0
    positive: bool = False

    @property
    def count(self) -> int:
        """How many examples there are."""
        return self.numbers or sum(self.classes.values())
