"""What must hold of predictions before anybody diagnoses them."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, shown
from gapwise.records import Predictions


def checked(
    predictions: Predictions, where: str, columns: Collection[str] | None = None
) -> Predictions:
    """Return ``predictions`` when they are valid; only ``columns`` are looked at, if given.

    Raises:
        DataError: an example twice, an error outside [0, 1], a weight that is no weight, a label
            that is no class, a score that is no number; names row (the first is 1) and column.
    """
    _same_length(predictions, where)
    wanted = _COLUMNS if columns is None else _COLUMNS & set(columns)
    if "error" in wanted:
        _all(_in_unit(predictions.error), predictions.error, where, "error",
             "it must lie in [0, 1]")  # fmt: skip
    if "weight" in wanted:
        good = np.isfinite(predictions.weight) & (predictions.weight >= 0)
        _all(good, predictions.weight, where, "weight", "it must be finite and at least 0")
    if "example_id" in wanted:
        _unique(predictions.example_id, where)
    for name in ("target", "predicted"):
        if name in wanted:
            _label(getattr(predictions, name), predictions.classes, where, name)
    if predictions.scores is not None and "scores" in wanted:
        _scores(predictions.scores, predictions.classes, where)
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


def _all(good: NDArray[np.bool_], values: NDArray[Any], where: str, column: str, mend: str) -> None:
    if not good.all():
        row = int(np.argmin(good))
        raise DataError(f"{where}, row {row + 1}: {column} is {shown(values[row])}; {mend}")


def _unique(ids: NDArray[np.str_], where: str) -> None:
    if len(ids) and (ids == "").any():
        row = int(np.argmax(ids == "")) + 1
        raise DataError(f"{where}, row {row}: example_id is empty; every example needs its own")
    if len(set(ids.tolist())) == len(ids):
        return
    first: dict[str, int] = {}
    for row, name in enumerate(ids.tolist(), start=1):
        if name in first:
            raise DataError(
                f"{where}, rows {first[name]} and {row}: example_id {shown(name)!r} stands twice; "
                "keep one row an example"
            )
        first[name] = row


def _label(values: NDArray[Any], classes: tuple[str, ...], where: str, name: str) -> None:
    if values.dtype.kind == "f":
        _all(np.isfinite(values), values, where, name, "it must be finite")
    if classes:
        if values.dtype.kind not in "iu":
            raise DataError(f"{where}: column {name!r} is {values.dtype}; with classes named, it "
                            "must hold their positions")  # fmt: skip
        mend = f"it must be a position among {len(classes)} classes"
        _all((values >= 0) & (values < len(classes)), values, where, name, mend)


def _scores(scores: NDArray[np.float32], classes: tuple[str, ...], where: str) -> None:
    if classes and len(scores) and scores.shape[1] != len(classes):
        raise DataError(
            f"{where}: scores has {scores.shape[1]} entries a row for {len(classes)} classes; "
            "give one a class, in their order"
        )
    good = np.asarray(np.isfinite(scores).all(axis=1))
    _all(good, scores, where, "scores", "every score must be finite")
