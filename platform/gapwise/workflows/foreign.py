"""Predictions tables that were made elsewhere, read into ``Predictions``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gapwise.data.safe_path import OUTSIDE, refusal
from gapwise.errors import DataError, did_you_mean, shown
from gapwise.ids import one_spelling
from gapwise.records import SPLITS, Predictions
from gapwise.tracking.checked import checked
from gapwise.workflows.foreign_labels import LabelRule, label_rule

KNOWN = frozenset(
    (
        *("example_id", "split", "source", "group", "weight", "target", "predicted", "error"),
        *("loss", "scores", "media"),
    )
)
_PREFIX = "score_"
_MEANS_DEV = ("val", "valid", "validation", "eval")


@dataclass(frozen=True)
class _Table:
    """A table that was looked at as a whole; ``rule`` holds for every split of it.

    Attributes:
        scores: (rows, k) in the order of the rule's classes, or None.
    """

    frame: pd.DataFrame
    scores: NDArray[np.float32] | None
    rule: LabelRule
    where: str

    def part(self, chosen: NDArray[np.bool_]) -> "_Table":
        scores = None if self.scores is None else self.scores[chosen]
        return _Table(self.frame[chosen], scores, self.rule, self.where)


def by_split(frame: pd.DataFrame, classes: Sequence[str], where: str) -> dict[str, Predictions]:
    """Return the predictions of each split of a table.

    Classes, and whether labels are names or positions, are decided once for the whole table:
    a class that a split never meets keeps its place there.

    Args:
        frame: as ``read_table`` gives it: its index is the row in the file.
        classes: the class names in the order of the scores; ``score_<class>`` columns are put
            into this order. () where nobody named them.
        where: the file, for messages.

    Raises:
        DataError: a column is missing or holds what it must not.
    """
    _check_columns(frame, where)
    splits = _splits(frame, where)
    scores, named = _scores(frame, tuple(classes), where)
    rule = label_rule(frame, named, None if scores is None else scores.shape[1], where)
    table = _Table(frame, scores, rule, where)
    found = {split: splits == split for split in SPLITS}
    return {s: _predictions(table.part(own), s) for s, own in found.items() if own.any()}


def check_media(frame: pd.DataFrame, root: Path, where: str) -> None:
    """Check that no media path leads out of ``root``, a resolved folder.

    Raises:
        DataError: one does; names its row.
    """
    if "media" not in frame:
        return
    paths = frame["media"].dropna().astype(str)
    for row, path in paths.drop_duplicates().items():
        wrong = refusal(root, path)
        if wrong and wrong[0] == OUTSIDE:
            raise DataError(
                f"{where}, row {row}: media {shown(path)!r} is {wrong[1]}; "
                f"write a path relative to {root}"
            )


def _check_columns(frame: pd.DataFrame, where: str) -> None:
    for column in ("split", "example_id", "target"):
        if column not in frame.columns:
            raise DataError(
                f"{where} has no column {column!r}; it needs example_id, split, target and "
                f"predicted, error or scores ({did_you_mean(column, map(str, frame.columns))})"
            )
    if frame.empty:
        raise DataError(f"{where} has no rows; it needs one an example")
    for column in ("split", "example_id", "target", "predicted"):
        if column in frame:
            cells = frame[column]
            empty = cells.isna() | (cells.astype(str) == "")
            if empty.any():
                raise DataError(
                    f"{where}, row {cells.index[int(np.argmax(empty))]}: {column} is empty; "
                    "every example needs one"
                )


def _splits(frame: pd.DataFrame, where: str) -> NDArray[np.str_]:
    names = frame["split"].astype(str).str.replace("-", "_")
    unknown = names[~names.isin(SPLITS)]
    if len(unknown):
        name = str(unknown.iloc[0])
        hint = "write dev" if name.lower() in _MEANS_DEV else did_you_mean(name, SPLITS)
        raise DataError(
            f"{where}, row {unknown.index[0]}: split {shown(name)!r} is not known; {hint}"
        )
    return names.to_numpy(dtype=np.str_)


def _predictions(table: _Table, split: str) -> Predictions:
    frame, where = table.frame, table.where
    target = table.rule.read(frame, "target", where)
    predicted = _predicted(table)
    text = {name: _text(frame, name) for name in ("source", "group", "media")}
    return checked(
        Predictions(
            split=split,
            example_id=one_spelling(frame["example_id"].astype(str).to_numpy(dtype=np.str_)),
            target=target,
            predicted=target if predicted is None else predicted,
            error=_error(frame, target, predicted, where),
            weight=_numbers(frame, "weight", where, default=1.0),
            classes=table.rule.classes,
            loss=_numbers(frame, "loss", where) if "loss" in frame else None,
            scores=table.scores,
            labels=table.rule.labels,
            metadata={str(c): frame[c].to_numpy() for c in _metadata(frame)},
            **text,
        ),
        where,
        rows=frame.index.to_numpy(dtype=np.int64),
    )


def _scores(
    frame: pd.DataFrame, classes: tuple[str, ...], where: str
) -> tuple[NDArray[np.float32] | None, tuple[str, ...]]:
    """Return the scores, (rows, k) or None, and the class names in their order, if any."""
    if "scores" in frame:
        return _lists(frame["scores"], where), classes
    columns = _score_columns(frame)
    if not columns:
        return None, classes
    names = tuple(c.removeprefix(_PREFIX) for c in columns)
    order = classes or names
    if set(order) != set(names):
        missing, more = sorted(set(order) - set(names)), sorted(set(names) - set(order))
        says = [f"no column for {shown(', '.join(missing))}"] * bool(missing)
        says += [f"columns for {shown(', '.join(more))} beside"] * bool(more)
        raise DataError(
            f"{where}: of the classes that were named, the score_<class> columns have "
            f"{' and '.join(says)}; name the same classes in both"
        )
    ordered = [_numbers(frame, _PREFIX + name, where) for name in order]
    return np.stack(ordered, axis=1).astype(np.float32), order


def _lists(column: "pd.Series[Any]", where: str) -> NDArray[np.float32]:
    mend = "give every row a list of numbers, all of one length"
    first = column.iloc[0]
    if isinstance(first, str):
        raise DataError(
            f"{where}: column 'scores' is text; write a column score_<class> for each class"
        )
    length = len(first) if hasattr(first, "__len__") else 0
    for row, cell in column.items():
        if not hasattr(cell, "__len__") or len(cell) != length or not length:
            raise DataError(f"{where}, row {row}: scores is {shown(cell)}; {mend}")
    try:
        scores = np.array(column.tolist(), dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: column 'scores' holds what is no number; {mend}") from error
    if scores.ndim != 2:
        raise DataError(f"{where}: column 'scores' holds lists of lists; {mend}")
    return scores


def _predicted(table: _Table) -> NDArray[Any] | None:
    if "predicted" in table.frame:
        return table.rule.read(table.frame, "predicted", table.where)
    if table.scores is None:
        return None
    width, count = table.scores.shape[1], len(table.rule.classes)
    if width != count:
        raise DataError(
            f"{table.where}: scores have {width} entries for {count} classes; "
            "name the classes in their order with --classes"
        )
    best: NDArray[np.int64] = np.nan_to_num(table.scores, nan=-np.inf).argmax(axis=1)
    return best


def _error(
    frame: pd.DataFrame,
    target: NDArray[Any],
    predicted: NDArray[Any] | None,
    where: str,
) -> NDArray[np.float64]:
    if "error" in frame:
        return _numbers(frame, "error", where)
    if predicted is None:
        raise DataError(f"{where} has none of predicted, error, scores; one of them is needed")
    return np.asarray(target != predicted, dtype=np.float64)


def _numbers(
    frame: pd.DataFrame, column: str, where: str, default: float | None = None
) -> NDArray[np.float64]:
    if column not in frame and default is not None:
        return np.full(len(frame), default)
    values = pd.to_numeric(frame[column], errors="coerce")
    bad = np.flatnonzero(values.isna() & frame[column].notna())
    if len(bad):
        row, value = frame.index[bad[0]], frame[column].iloc[bad[0]]
        raise DataError(f"{where}, row {row}: {column} {shown(value)!r} is no number; write one")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _text(frame: pd.DataFrame, column: str) -> NDArray[np.str_] | None:
    if column not in frame:
        return None
    cells = frame[column].astype(object)
    return cells.where(cells.notna(), "").astype(str).to_numpy(dtype=np.str_)


def _score_columns(frame: pd.DataFrame) -> list[str]:
    return [str(c) for c in frame.columns if str(c).startswith(_PREFIX)]


def _metadata(frame: pd.DataFrame) -> list[Any]:
    used = set() if "scores" in frame else set(_score_columns(frame))
    return [c for c in frame.columns if str(c) not in KNOWN | used]
