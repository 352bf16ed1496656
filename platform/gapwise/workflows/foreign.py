"""Predictions tables that were made elsewhere, CSV or Parquet, read into ``Predictions``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from gapwise.errors import DataError, did_you_mean, shown
from gapwise.records import SPLITS, Predictions
from gapwise.tracking.checked import checked

KNOWN = frozenset(
    (
        *("example_id", "split", "source", "group", "weight", "target", "predicted", "error"),
        *("loss", "scores", "media"),
    )
)


def read_table(path: Path) -> pd.DataFrame:
    """Read a predictions table, CSV or Parquet.

    Raises:
        DataError: the file is missing, empty or unreadable.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file; give a predictions table (Parquet or CSV)")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype={"example_id": str}, keep_default_na=True)
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise DataError(f"{path} cannot be read as a table: {shown(error, 200)}") from error


def stated_classes(path: Path) -> tuple[str, ...]:
    """Return the class names that a Parquet table of ours states in its schema; () elsewhere."""
    if path.suffix.lower() not in (".parquet", ".pq"):
        return ()
    labels = pq.read_schema(path).metadata or {}
    return tuple(json.loads(labels.get(b"gapwise.classes", b"[]")))


def by_split(frame: pd.DataFrame, classes: Sequence[str], where: str) -> dict[str, Predictions]:
    """Return the predictions of each split of a table.

    Raises:
        DataError: a column is missing or holds what it must not.
    """
    for column in ("split", "example_id", "target"):
        if column not in frame.columns:
            raise DataError(
                f"{where} has no column {column!r}; it needs example_id, split, target and "
                f"predicted, error or scores ({did_you_mean(column, map(str, frame.columns))})"
            )
    names = frame["split"].astype(str).str.replace("-", "_")
    unknown = sorted(set(names) - set(SPLITS))
    if unknown:
        raise DataError(
            f"{where}: split {shown(unknown[0])!r} is not known; {did_you_mean(unknown[0], SPLITS)}"
        )
    if frame.empty:
        raise DataError(f"{where} has no rows; it needs one an example")
    return {
        split: predictions_of(frame[names == split], split, classes, where)
        for split in SPLITS
        if (names == split).any()
    }


def predictions_of(
    frame: pd.DataFrame, split: str, classes: Sequence[str], where: str
) -> Predictions:
    """Return one split's predictions; ``predicted`` and ``error`` are derived where absent.

    Raises:
        DataError: they are absent and cannot be derived, or a label is no class.
    """
    scores, order = _scores(frame, where)
    named = tuple(classes) or order
    names = named or _class_names(frame, scores)
    target = _labels(frame, "target", named, names, where)
    predicted = _predicted(frame, scores, named, names, where)
    text = {name: _text(frame, name) for name in ("source", "group", "media")}
    return checked(
        Predictions(
            split=split,
            example_id=frame["example_id"].astype(str).to_numpy(dtype=np.str_),
            target=target,
            predicted=target if predicted is None else predicted,
            error=_error(frame, target, predicted, where),
            weight=_numbers(frame, "weight", where, default=1.0),
            classes=names,
            loss=_numbers(frame, "loss", where) if "loss" in frame else None,
            scores=scores,
            metadata={str(c): frame[c].to_numpy() for c in _metadata(frame)},
            **text,
        ),
        where,
    )


def _scores(frame: pd.DataFrame, where: str) -> tuple[NDArray[np.float32] | None, tuple[str, ...]]:
    columns = [str(c) for c in frame.columns if str(c).startswith("score_")]
    if "scores" in frame.columns:
        try:
            return np.array([list(row) for row in frame["scores"]], dtype=np.float32), ()
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{where}: column 'scores' must hold lists of numbers of one length ({error})"
            ) from error
    if not columns:
        return None, ()
    scores = np.stack([_numbers(frame, c, where) for c in columns], axis=1).astype(np.float32)
    return scores, tuple(c.removeprefix("score_") for c in columns)


def _class_names(frame: pd.DataFrame, scores: NDArray[np.float32] | None) -> tuple[str, ...]:
    """Return the classes that a table's labels name; none where they are values of another kind.

    With an error of its own a table may have targets that are no classes: numbers, or JSON.
    """
    labels = frame["target"]
    if "predicted" in frame:
        labels = pd.concat([labels, frame["predicted"]])
    if pd.api.types.is_integer_dtype(labels):
        count = scores.shape[1] if scores is not None else int(labels.max()) + 1
        return tuple(str(i) for i in range(count))
    text = labels.astype(str)
    structured = pd.api.types.is_float_dtype(labels) or text.str.startswith(("{", "[")).any()
    if structured and "error" in frame and scores is None:
        return ()
    return tuple(sorted(set(text)))


def _labels(
    frame: pd.DataFrame, column: str, named: Sequence[str], names: Sequence[str], where: str
) -> NDArray[Any]:
    """Return labels as positions in ``names``, or as text where there are no classes.

    Integers index the list of scores, unless the classes were named and these are their names.
    """
    labels = frame[column]
    if not names:
        return labels.astype(str).to_numpy(dtype=np.str_)
    if pd.api.types.is_float_dtype(labels):
        raise DataError(
            f"{where}:{_row(labels, 0)}: {column} {shown(labels.iloc[0])!r} is a number with a "
            "decimal point or a value is missing; write class names or integers"
        )
    text = labels.astype(str)
    if pd.api.types.is_integer_dtype(labels) and not set(text) <= set(named):
        values = labels.to_numpy(dtype=np.int64)
        bad = np.flatnonzero((values < 0) | (values >= len(names)))
    else:
        index = {name: position for position, name in enumerate(names)}
        values = text.map(index).fillna(-1).to_numpy(dtype=np.int64)
        bad = np.flatnonzero(values < 0)
    if len(bad):
        value = labels.iloc[bad[0]]
        raise DataError(
            f"{where}:{_row(labels, bad[0])}: {column} {shown(value)!r} is no class; "
            f"{did_you_mean(str(value), names)} (--classes names their order)"
        )
    return values


def _row(labels: "pd.Series[Any]", position: int) -> int:
    """Return the row of a label in its file, the header being row 1."""
    return int(labels.index[position]) + 2


def _predicted(
    frame: pd.DataFrame,
    scores: NDArray[np.float32] | None,
    named: Sequence[str],
    names: Sequence[str],
    where: str,
) -> NDArray[Any] | None:
    if "predicted" in frame:
        return _labels(frame, "predicted", named, names, where)
    if scores is None:
        return None
    if scores.shape[1] != len(names):
        raise DataError(
            f"{where}: scores have {scores.shape[1]} entries for {len(names)} classes; "
            "name the classes in their order with --classes"
        )
    best: NDArray[np.int64] = np.nan_to_num(scores, nan=-np.inf).argmax(axis=1)
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
        row, value = _row(frame[column], bad[0]), frame[column].iloc[bad[0]]
        raise DataError(f"{where}:{row}: {column} {shown(value)!r} is no number; write one")
    return values.to_numpy(dtype=np.float64)


def _text(frame: pd.DataFrame, column: str) -> NDArray[np.str_] | None:
    if column not in frame:
        return None
    return frame[column].fillna("").astype(str).to_numpy(dtype=np.str_)


def _metadata(frame: pd.DataFrame) -> list[Any]:
    return [c for c in frame.columns if str(c) not in KNOWN and not str(c).startswith("score_")]
