"""What must hold of predictions before anybody diagnoses them."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, shown
from gapwise.labels import UNKNOWN, Labels
from gapwise.records import Predictions

Rows = Sequence[int] | NDArray[np.int64]


def checked(
    predictions: Predictions,
    where: str,
    columns: Collection[str] | None = None,
    rows: Rows | None = None,
) -> Predictions:
    """Return ``predictions`` when they are valid; only ``columns`` are looked at, if given.

    Args:
        predictions: what to check.
        where: the place, for messages.
        columns: all by default.
        rows: (n,) where each example stands in its file; by default 1, 2, ….

    Raises:
        DataError: an example twice, an error outside [0, 1], a weight that is no weight, weights
            that are all 0, a label that is no class, a score that is no number; names row and
            column.
    """
    _same_length(predictions, where)
    places = range(1, len(predictions) + 1) if rows is None else rows
    wanted = _COLUMNS if columns is None else _COLUMNS & set(columns)
    if "error" in wanted:
        _all(_in_unit(predictions.error), predictions.error, where, places, "error",
             "it must lie in [0, 1]")  # fmt: skip
    if "weight" in wanted:
        good = np.isfinite(predictions.weight) & (predictions.weight >= 0)
        mend = "it must be finite and at least 0"
        _all(good, predictions.weight, where, places, "weight", mend)
        if len(predictions) and not predictions.weight.any():
            raise DataError(
                f"{where}: the weights of {predictions.split} are all 0, so none of it counts; "
                "give some a weight above 0, or leave the split out"
            )
    if "example_id" in wanted:
        _unique(predictions.example_id, where, places)
    for name in ("target", "predicted"):
        if name in wanted:
            _label(getattr(predictions, name), predictions, where, places, name)
    if predictions.scores is not None and "scores" in wanted:
        _scores(predictions.scores, predictions.classes, where, places)
    return predictions


_COLUMNS = {"error", "weight", "example_id", "target", "predicted", "scores"}


def _same_length(predictions: Predictions, where: str) -> None:
    columns = {name: value for name, value in vars(predictions).items()
               if isinstance(value, np.ndarray)} | dict(predictions.metadata)  # fmt: skip
    for name, values in columns.items():
        if len(values) != len(predictions):
            raise DataError(
                f"{where}: {name} has {len(values)} entries for {len(predictions)} examples; "
                "give every example one"
            )


def _in_unit(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (values >= 0) & (values <= 1)


def _all(
    good: NDArray[np.bool_], values: NDArray[Any], where: str, rows: Rows, column: str, mend: str
) -> None:
    if not good.all():
        position = int(np.argmin(good))
        value = shown(values[position])
        raise DataError(f"{where}, row {rows[position]}: {column} is {value}; {mend}")


def _unique(ids: NDArray[np.str_], where: str, rows: Rows) -> None:
    if len(ids) and (ids == "").any():
        row = rows[int(np.argmax(ids == ""))]
        raise DataError(f"{where}, row {row}: example_id is empty; every example needs its own")
    if len(set(ids.tolist())) == len(ids):
        return
    first: dict[str, Any] = {}
    for row, name in zip(rows, ids.tolist(), strict=True):
        if name in first:
            raise DataError(
                f"{where}, rows {first[name]} and {row}: example_id {shown(name)!r} stands twice; "
                "keep one row an example"
            )
        first[name] = row


def _label(
    values: NDArray[Any], predictions: Predictions, where: str, rows: Rows, name: str
) -> None:
    classes = predictions.classes
    if values.ndim == 2:
        _several(values, predictions.labels, where, rows, name)
    elif values.dtype.kind == "f":
        _all(np.isfinite(values), values, where, rows, name, "it must be finite")
    if classes:
        if values.dtype.kind not in "iu":
            raise DataError(f"{where}: column {name!r} is {values.dtype}; with classes named, it "
                            "must hold their positions")  # fmt: skip
        mend = f"it must be a position among {len(classes)} classes"
        _all((values >= 0) & (values < len(classes)), values, where, rows, name, mend)


def _several(values: NDArray[np.int64], labels: Labels, where: str, rows: Rows, name: str) -> None:
    """Check positions of several labels; of what is predicted none is unknown."""
    if values.shape[1] != len(labels.names):
        raise DataError(
            f"{where}: {name} has {values.shape[1]} columns for {len(labels.names)} labels; give "
            "one a label"
        )
    lowest = UNKNOWN if name == "target" else 0
    for column, (label, classes) in enumerate(zip(labels.names, labels.classes, strict=True)):
        own = values[:, column]
        mend = f"label {shown(label)} must be a position among {len(classes)} classes"
        _all((own >= lowest) & (own < len(classes)), own, where, rows, name, mend)


def _scores(scores: NDArray[np.float32], classes: tuple[str, ...], where: str, rows: Rows) -> None:
    if classes and len(scores) and scores.shape[1] != len(classes):
        raise DataError(
            f"{where}: scores has {scores.shape[1]} entries a row for {len(classes)} classes; "
            "give one a class, in their order"
        )
    good = np.asarray(np.isfinite(scores).all(axis=1))
    _all(good, scores, where, rows, "scores", "every score must be finite")
