"""Which column of a manifest is what: image, label, id, source, group, weight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gapwise.data.label_columns import LabelRule
from gapwise.data.table import Table
from gapwise.errors import DataError, did_you_mean, shown
from gapwise.labels import Labels
from gapwise.records import Quarantined

ROLES = ("image", "label", "id", "source", "group", "weight")
NEVER_FEATURES = ("annotator",)


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns of a table by what they are for.

    Attributes:
        table: the manifest.
        columns: role → column, where the column is not called like its role; several labels are a
            list of columns.
        target: whether a single label is a class or a number.
        classes: class names in order, or label → class names; None: those that occur.
        unit: what numbers count.
    """

    table: Table
    columns: Mapping[str, str | Sequence[str]]
    target: Literal["class", "number"] = "class"
    classes: Sequence[str] | Mapping[str, Sequence[str]] | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        for role, column in self.columns.items():
            if role not in ROLES:
                raise DataError(
                    f"data.dataset.columns: {shown(role)} is no role; {did_you_mean(role, ROLES)}"
                )
            if not isinstance(column, str) and role != "label":
                raise DataError(
                    f"data.dataset.columns.{role} names several columns; only label may"
                )
            for name in [column] if isinstance(column, str) else column:
                self.table.column(name)

    def name(self, role: str) -> str:
        """Return the column that has a role; of several labels the first."""
        column = self.columns.get(role, role)
        return column if isinstance(column, str) else column[0]

    def has(self, role: str) -> bool:
        """Return whether a column has that role."""
        return self.name(role) in self.table.columns

    @cached_property
    def labels(self) -> LabelRule:
        """How the label columns are read."""
        column = self.columns.get("label", "label")
        names = (column,) if isinstance(column, str) else tuple(column)
        return LabelRule(names=names, kind=self.target, classes=self.classes, unit=self.unit)

    @property
    def others(self) -> list[str]:
        """The columns without a role, in order."""
        taken = {self.name(role) for role in ROLES} | set(self.labels.names)
        return [name for name in self.table.columns if name not in taken]

    @cached_property
    def kept(self) -> NDArray[np.int64]:
        """The rows that have a label."""
        return self.labels.known(self.table)

    def unlabelled(self, ids: Sequence[str]) -> tuple[Quarantined, ...]:
        """Return the rows that have no label, as quarantined."""
        missing = np.setdiff1d(np.arange(len(self.table)), self.kept)
        return tuple(
            Quarantined(
                item=ids[int(row)],
                code="no-label",
                reason="the label is empty",
                where=self.table.place(int(row)),
            )
            for row in missing
        )

    def ids(self) -> list[str]:
        """Return every row's id: the id column, else the image's path, else its number.

        Raises:
            DataError: an id is empty or stands twice; names both rows.
        """
        role = next((role for role in ("id", "image") if self.has(role)), None)
        if role is None:
            stem = self.table.path.name.split(".")[0]
            return [f"{stem}/{row}" for row in range(len(self.table))]
        ids = self.table.text(self.name(role))
        seen: dict[str, int] = {}
        for row, name in enumerate(ids):
            if not name:
                raise DataError(f"{self.table.place(row)}: {self.name(role)} is empty; fill it in")
            if name in seen:
                raise DataError(
                    f"{self.table.place(row)}: {self.name(role)} {shown(name)} stands already on "
                    f"{self.table.place(seen[name])}; give each example one row and an id of its "
                    "own"
                )
            seen[name] = row
        return ids

    def arrays(self, ids: Sequence[str]) -> tuple[dict[str, NDArray[Any] | None], Labels]:
        """Return the columns of the labelled rows, by field of ``ExampleSet``, and the labels.

        Raises:
            DataError: a label or a weight cannot be used.
        """
        kept = self.kept
        if not len(kept):
            raise DataError(f"{self.table.path}: column {self.name('label')} is empty; fill it in")
        targets, labels = self.labels.read(self.table, kept)
        stem = self.table.path.name.split(".")[0]
        sources = self._text("source") if self.has("source") else np.full(len(kept), stem)
        columns: dict[str, NDArray[Any] | None] = {
            "ids": np.array(ids)[kept],
            "targets": targets,
            "sources": sources,
            "groups": self._groups(ids),
            "weights": self._weights(),
        }
        return columns, labels

    def metadata(self, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return columns of the labelled rows as they are: numbers stay numbers."""
        found: dict[str, NDArray[Any]] = {}
        for name in names:
            values = self.table.column(name).to_numpy()
            is_plain = values.dtype.kind in "iufb"
            found[name] = (values if is_plain else np.array(self.table.text(name)))[self.kept]
        return found

    def _text(self, role: str) -> NDArray[np.str_]:
        return np.array(self.table.text(self.name(role)))[self.kept]

    def _groups(self, ids: Sequence[str]) -> NDArray[np.str_] | None:
        if not self.has("group"):
            return None
        groups = self.table.text(self.name("group"))
        # Who has no group is a group of one.
        return np.array([group or f"~{ids[row]}" for row, group in enumerate(groups)])[self.kept]

    def _weights(self) -> NDArray[np.float64] | None:
        if not self.has("weight"):
            return None
        weights = self.table.numbers(self.name("weight"))[self.kept]
        bad = np.flatnonzero(~(weights >= 0))
        if len(bad):
            row = int(self.kept[bad[0]])
            raise DataError(
                f"{self.table.place(row)}: {self.name('weight')} is {weights[bad[0]]:g}; give a "
                "number from 0"
            )
        return weights
