"""From the label columns of a table to targets: classes, numbers, or several labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gapwise.data.features import MISSING
from gapwise.data.labels import from_names
from gapwise.data.table import Table
from gapwise.errors import DataError, did_you_mean, shown
from gapwise.labels import UNKNOWN, Labels, one_class

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LabelRule:
    """How label columns are read.

    Attributes:
        names: the columns; several of them make several labels.
        kind: whether a single column holds classes or numbers.
        classes: class names in order, or label → class names for several; None: those that occur.
        unit: what numbers count.
    """

    names: tuple[str, ...]
    kind: Literal["class", "number"] = "class"
    classes: Sequence[str] | Mapping[str, Sequence[str]] | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.names or len(set(self.names)) < len(self.names):
            raise DataError(
                f"data.dataset.columns.label is [{', '.join(self.names)}]; name each column once"
            )
        if len(self.names) > 1 and self.kind == "number":
            raise DataError(
                f"data.dataset: {len(self.names)} label columns cannot be numbers; take target: "
                "number out, or name one column"
            )
        if self.classes is not None and isinstance(self.classes, Mapping) != (len(self.names) > 1):
            raise DataError(
                "data.dataset.classes must be a list of names for one label, and name → list for "
                "several; write it so"
            )
        for name in self.classes if isinstance(self.classes, Mapping) else ():
            if name not in self.names:
                raise DataError(
                    f"data.dataset.classes names {shown(name)}, which is no label column; "
                    f"{did_you_mean(name, self.names)}"
                )

    def known(self, table: Table) -> Rows:
        """Return the rows that have a label, or one at least of several."""
        missing = MISSING if len(self.names) > 1 else ("",)
        filled = [np.array([c.strip() not in missing for c in table.text(n)]) for n in self.names]
        return np.flatnonzero(np.any(filled, axis=0)).astype(np.int64)

    def read(self, table: Table, rows: Rows) -> tuple[NDArray[Any], Labels]:
        """Return the targets of ``rows``, and what they are.

        Raises:
            DataError: a label is no class or no number; names its row.
        """
        if len(self.names) > 1:
            classes = self.classes if isinstance(self.classes, Mapping) else {}
            return label_columns(table, self.names, classes, rows)
        if self.kind == "number":
            return _numbers(table, self.names[0], rows), Labels(
                kind="number", names=self.names, unit=self.unit
            )
        assert not isinstance(self.classes, Mapping)
        targets, classes_found = _positions(table, self.names[0], self.classes, rows)
        return targets, one_class(classes_found, self.names[0])


def label_columns(
    table: Table, names: Sequence[str], classes: Mapping[str, Sequence[str]], rows: Rows
) -> tuple[NDArray[np.int64], Labels]:
    """Return (rows, names) positions, -1 for a cell that is empty or says that it is unknown.

    Raises:
        DataError: a label is no class; names its row.
    """
    targets = np.full((len(rows), len(names)), UNKNOWN, dtype=np.int64)
    found: list[tuple[str, ...]] = []
    for column, name in enumerate(names):
        cells = table.text(name)
        known = np.array([cells[row].strip() not in MISSING for row in rows], dtype=bool)
        targets[known, column], own = _positions(table, name, classes.get(name), rows[known])
        found.append(own)
    return targets, Labels(kind="several", names=tuple(names), classes=tuple(found))


def _positions(
    table: Table, name: str, classes: Sequence[str] | None, rows: Rows
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    cells = table.text(name)
    return from_names(
        [cells[row].strip() for row in rows], classes, [table.place(int(row)) for row in rows]
    )


def _numbers(table: Table, name: str, rows: Rows) -> NDArray[np.float32]:
    values = table.numbers(name)[rows]
    beyond = np.abs(values) > np.finfo(np.float32).max
    if beyond.any():
        row = int(np.argmax(beyond))
        raise DataError(
            f"{table.place(int(rows[row]))}: column {shown(name)} holds {values[row]:g}, which is "
            "beyond single precision; rescale the column"
        )
    return values.astype(np.float32)
