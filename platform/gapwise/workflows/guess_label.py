"""Whether a label column holds classes or numbers to predict."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gapwise.data.table import Table
from gapwise.errors import DataError, shown

FEW = 20
"""Up to this many different whole numbers are classes, whatever they are."""

ENOUGH = 20
"""Examples a class, on average, that many whole numbers without a gap must have to be classes."""


@dataclass(frozen=True, kw_only=True)
class GuessedLabel:
    """What a label column seems to hold.

    Attributes:
        classes: class → examples; empty for numbers.
        numbers: how many numbers there are; 0 for classes.
        positive: whether all of them are above 0.
        says: what was found, "" for classes.
    """

    classes: Counter[str] = field(default_factory=Counter)
    numbers: int = 0
    positive: bool = False
    says: str = ""


def guess_label(table: Table, name: str) -> GuessedLabel:
    """Return what a label column seems to hold.

    Numbers with decimals are numbers to predict. Whole numbers are classes where they are few, or
    run without a gap from 0 or 1 and have enough examples each; else they are numbers too.

    Raises:
        DataError: it holds one value alone, or too many different ones for classes.
    """
    cells = (cell.strip() for cell in table.text(name))
    counts = Counter(cell for cell in cells if cell)
    if len(counts) < 2:
        held = f"{shown(next(iter(counts)))} everywhere" if counts else "nothing"
        raise DataError(
            f"{table.path}: column {shown(name)} holds {held}, so there is nothing to tell apart; "
            "add examples of another class"
        )
    values = _numbers(counts)
    if values is not None and not _are_classes(values, counts):
        told = f"numbers from {values.min():,.6g} to {values.max():,.6g}"
        return GuessedLabel(
            numbers=sum(counts.values()), positive=bool(values.min() > 0), says=told
        )
    if len(counts) > max(FEW, len(table) // 2):
        raise DataError(
            f"{table.path}: column {shown(name)} holds {len(counts):,} different values in "
            f"{len(table):,} rows, too many for classes; rename the column of the classes to label"
        )
    return GuessedLabel(classes=counts)


def _numbers(counts: Counter[str]) -> NDArray[np.float64] | None:
    """Return the different values as numbers, None where one of them is none."""
    try:
        values = np.array([float(cell) for cell in counts])
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None


def _are_classes(values: NDArray[np.float64], counts: Counter[str]) -> bool:
    different = np.unique(values)
    if (different != np.round(different)).any():
        return False
    if len(different) <= FEW:
        return True
    no_gap = different[0] in (0, 1) and different[-1] - different[0] == len(different) - 1
    return bool(no_gap) and sum(counts.values()) >= ENOUGH * len(different)
