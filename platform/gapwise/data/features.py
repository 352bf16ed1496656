"""Feature columns → rows of numbers: numbers as they are, categories one-hot.

Missing numbers become the column's median and get a column ``<name> missing`` that says so with 1;
missing categories are a category of their own. Scaling is not done here: training normalises by
its own split, and leaves columns of only 0 and 1 as they are.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.data.table import Table
from gapwise.errors import DataError, shown

MOST_CATEGORIES = 200
MISSING = ("", "?", "NA", "N/A", "null")


@dataclass(frozen=True, kw_only=True)
class Features:
    """Rows of numbers: values (n, features) float32, the columns' names, and what was filled."""

    values: NDArray[np.float32]
    names: tuple[str, ...]
    notes: tuple[str, ...]


def encode(table: Table, columns: Sequence[str], categorical: Collection[str] | None) -> Features:
    """Encode ``columns`` of a table.

    Args:
        table: the manifest.
        columns: the features in order.
        categorical: which of them are categories; None: those whose cells are mostly no numbers.

    Raises:
        DataError: a column is missing, a number cannot be read, or there are too many categories.
    """
    blocks: list[NDArray[np.float32]] = []
    names: list[str] = []
    notes: list[str] = []
    for name in columns:
        numeric = table.is_numeric(name) if categorical is None else name not in categorical
        block, block_names, note = (_numbers if numeric else _one_hot)(table, name)
        blocks.append(block)
        names += block_names
        notes += [note] if note else []
    if not blocks:
        raise DataError(f"{table.path} has no feature columns; name some in data.dataset.features")
    values = np.concatenate(blocks, axis=1)
    return Features(values=values, names=tuple(names), notes=tuple(notes))


def _numbers(table: Table, name: str) -> tuple[NDArray[np.float32], list[str], str]:
    values = table.numbers(name)
    missing = np.isnan(values)
    if not missing.any():
        return _fits(table, name, values)[:, None], [name], ""
    if missing.all():
        raise DataError(f"{table.path}: column {shown(name)} is empty; leave it out of features")
    values = np.where(missing, np.median(values[~missing]), values)
    block = np.stack([_fits(table, name, values), missing.astype(np.float32)], axis=1)
    note = (
        f"{name}: {int(missing.sum())} missing numbers are set to the column's median, and the "
        f"feature '{name} missing' marks them."
    )
    return block, [name, f"{name} missing"], note


def _fits(table: Table, name: str, values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return values as float32; what is finite in float64 may not be in float32."""
    beyond = np.abs(values) > np.finfo(np.float32).max
    if beyond.any():
        row = int(np.argmax(beyond))
        raise DataError(
            f"{table.place(row)}: column {shown(name)} holds {values[row]:g}, which is beyond "
            "single precision; rescale the column"
        )
    return values.astype(np.float32)


def _one_hot(table: Table, name: str) -> tuple[NDArray[np.float32], list[str], str]:
    cells = np.array([cell.strip() for cell in table.text(name)])
    missing = np.isin(cells, MISSING)
    cells = np.where(missing, "missing", cells)
    categories, positions = np.unique(cells, return_inverse=True)
    if len(categories) > MOST_CATEGORIES:
        raise DataError(
            f"{table.path}: column {shown(name)} holds {len(categories):,} different values, more "
            f"than the {MOST_CATEGORIES} that a category may have; leave it out of features"
        )
    block = np.zeros((len(cells), len(categories)), dtype=np.float32)
    block[np.arange(len(cells)), positions] = 1
    count = int(missing.sum())
    note = f"{name}: {count} missing categories are a category of their own." if count else ""
    return block, [f"{name}={category}" for category in categories], note
