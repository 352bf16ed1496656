"""Labels of new examples, as far as they are known, in the form that a network was trained on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.label_columns import label_columns
from gapwise.data.labels import from_names
from gapwise.data.table import Table
from gapwise.forms.base import form_of
from gapwise.labels import UNKNOWN, Labels


def known(labels: Labels, targets: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which examples have a label, or one at least of several: (n,) bool."""
    if labels.is_drawn:
        return form_of(labels).known(labels, targets)
    is_known = ~np.isnan(targets) if labels.kind == "number" else targets != UNKNOWN
    return np.asarray(is_known.any(axis=1) if is_known.ndim == 2 else is_known)


def unknown(labels: Labels, count: int) -> NDArray[Any]:
    """Return targets of which none is known: -1, or NaN for numbers."""
    if labels.kind == "number":
        return np.full(count, np.nan, dtype=np.float32)
    if labels.is_drawn:
        return form_of(labels).unknown(labels, count)
    shape = (count, len(labels.names)) if labels.kind == "several" else (count,)
    return np.full(shape, UNKNOWN, dtype=np.int64)


def label_role(
    labels: Labels, table: Table, stated: Mapping[str, str | Sequence[str]]
) -> str | list[str] | None:
    """Return the columns of a table that hold the labels: by the pipeline's word, else by name."""
    column = stated.get("label")
    if isinstance(column, str) and column in table.columns:
        return column
    if labels.kind == "class" or labels.is_drawn:
        return None
    present = [name for name in labels.names if name in table.columns]
    return (present or None) if labels.kind == "several" else next(iter(present), None)


def read_targets(labels: Labels, table: Table, columns: Sequence[str]) -> NDArray[Any]:
    """Return the targets of every row of ``table``; those of empty cells are unknown.

    Args:
        labels: what the network was trained on.
        table: the new rows.
        columns: the label columns that there are.

    Raises:
        DataError: a label is no class or no number; names its row.
    """
    targets = unknown(labels, len(table))
    rows = np.arange(len(table), dtype=np.int64)
    if labels.kind == "several":
        classes = dict(zip(labels.names, labels.classes, strict=True))
        found, own = label_columns(table, columns, classes, rows)
        targets[:, [labels.names.index(name) for name in own.names]] = found
    elif labels.kind == "number":
        targets[:] = table.numbers(columns[0])
    else:
        cells = [cell.strip() for cell in table.text(columns[0])]
        filled = [row for row, cell in enumerate(cells) if cell]
        places = [table.place(row) for row in filled]
        targets[filled], _ = from_names([cells[row] for row in filled], labels.only, places)
    return targets
