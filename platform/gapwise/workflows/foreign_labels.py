"""What the labels of a foreign table mean: one rule for a whole table, never one a split.

With class names (``--classes``, the schema of a Parquet file, or ``score_<class>`` columns) labels
are names where all of them are; else integers are positions in that list. Without names:

- labels that are text are the classes, in the order of the alphabet;
- integers index the scores; without scores they index the classes ``0, 1, …`` where they are small
  (below 100, or below twice as many as there are different ones), else the different integers are
  the classes' names;
- numbers and JSON, with an ``error`` column and no scores, are values and no classes; but integers
  that are both target and prediction, up to 1,000 different ones, are classes. Numbers that are
  both stay numbers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.labels import CLASSES, Labels

SMALL = 100
MOST_CLASSES = 1000

_WHOLE = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)


@dataclass(frozen=True)
class LabelRule:
    """How the labels of one table are read.

    Attributes:
        classes: the class names in the order of the scores; () where labels are values.
        by_name: labels are names of classes, not positions.
        kind: of labels that are values, ``number`` or ``value``; else ``class``.
    """

    classes: tuple[str, ...]
    by_name: bool
    kind: str = "class"

    @property
    def labels(self) -> Labels:
        """What the labels are."""
        return CLASSES if self.kind == "class" else Labels(kind=self.kind, names=("target",))

    def read(self, frame: pd.DataFrame, column: str, where: str) -> NDArray[Any]:
        """Return (n,) positions in ``classes``, or the labels as numbers or text without them.

        Raises:
            DataError: a label is no class; names its row.
        """
        text = frame[column].astype(str)
        if self.kind == "number":
            return text.to_numpy(dtype=np.str_).astype(np.float64)
        if not self.classes:
            return text.to_numpy(dtype=np.str_)
        known = self.classes if self.by_name else tuple(map(str, range(len(self.classes))))
        index = {name: position for position, name in enumerate(known)}
        values = text.map(index).fillna(-1).to_numpy(dtype=np.int64)
        bad = np.flatnonzero(values < 0)
        if len(bad):
            label = str(text.iloc[bad[0]])
            raise DataError(
                f"{where}, row {text.index[bad[0]]}: {column} {shown(label)!r} is no class; "
                f"{self._mend(label)} (--classes names their order)"
            )
        return values

    def _mend(self, label: str) -> str:
        if self.by_name:
            return did_you_mean(label, self.classes)
        return f"write a name, or a position from 0 to {len(self.classes) - 1}"


def label_rule(
    frame: pd.DataFrame, named: Sequence[str], scores: int | None, where: str
) -> LabelRule:
    """Return how to read a table's labels.

    Args:
        frame: the whole table, all its splits.
        named: the class names in the order of the scores; () where nobody named them.
        scores: scores a row; None without scores.
        where: the file, for messages.

    Raises:
        DataError: labels are numbers that cannot be classes.
    """
    columns = [c for c in ("target", "predicted") if c in frame]
    texts = set().union(*(frame[c].astype(str).unique() for c in columns))
    whole = all(_WHOLE.fullmatch(text) for text in texts)
    if named:
        return LabelRule(tuple(named), by_name=texts <= set(named) or not whole)
    number = all(_NUMBER.fullmatch(text) for text in texts)
    json_like = any(text.startswith(("{", "[")) for text in texts)
    told = whole and "predicted" in frame and len(texts) <= MOST_CLASSES
    if "error" in frame and scores is None and ((number and not told) or json_like):
        both = number and "predicted" in frame
        return LabelRule((), by_name=True, kind="number" if both else "value")
    if whole:
        return _of_integers(sorted(map(int, texts)), scores)
    if number:
        _refuse_number(frame, columns, where)
    return LabelRule(tuple(sorted(texts)), by_name=True)


def class_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return class names that a user gave, without the spaces around them.

    Raises:
        UsageError: a name is empty or stands twice.
    """
    found = tuple(str(name).strip() for name in names)
    for name in found:
        if not name:
            raise UsageError("a class name is empty; name every class, divided by single commas")
        if found.count(name) > 1:
            raise UsageError(f"class {shown(name)!r} is named twice; name every class once")
    return found


def _of_integers(values: Sequence[int], scores: int | None) -> LabelRule:
    if scores is not None:
        return LabelRule(tuple(map(str, range(scores))), by_name=False)
    if values[0] >= 0 and values[-1] < max(SMALL, 2 * len(values)):
        return LabelRule(tuple(map(str, range(values[-1] + 1))), by_name=False)
    return LabelRule(tuple(map(str, values)), by_name=True)


def _refuse_number(frame: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    for column in columns:
        text = frame[column].astype(str)
        broken = text[[not _WHOLE.fullmatch(t) for t in text]]
        if len(broken):
            raise DataError(
                f"{where}, row {broken.index[0]}: {column} {shown(broken.iloc[0])!r} is a number "
                "that is not whole; write class names or integers, or add an error column"
            )
