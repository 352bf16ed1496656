"""Arrays of somebody's own training loop, read into ``Predictions``."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from gapwise.errors import DataError, did_you_mean, shown
from gapwise.labels import CLASSES, Labels
from gapwise.records import Predictions

_NUMBERS = Labels(kind="number", names=("target",))


class OwnArrays:
    """The columns that were given for one split, each (n,), and the scores, (n, k).

    Raises:
        DataError: something is no such array; names it.
    """

    def __init__(
        self,
        split: str,
        ids: ArrayLike,
        scores: ArrayLike | None,
        given: Mapping[str, ArrayLike | None],
    ) -> None:
        self.split = split
        self.ids = self._column("ids", ids)
        self.columns = {
            name: self._column(name, values, len(self.ids))
            for name, values in given.items()
            if values is not None
        }
        if "target" not in self.columns:
            raise self.error("target is missing; give every example one")
        self.scores = None if scores is None else self._scores(scores)

    def error(self, says: str) -> DataError:
        """Return an error that names the split."""
        return DataError(f"predictions of {self.split}: {says}")

    def take(self, name: str, kind: DTypeLike) -> NDArray[Any] | None:
        """Remove a column and return it as ``kind``; None where it was not given.

        Raises:
            DataError: it cannot be of that kind.
        """
        values = self.columns.pop(name, None)
        return None if values is None else self._cast(name, values, kind)

    def _column(self, name: str, values: ArrayLike, n: int | None = None) -> NDArray[Any]:
        array = self._cast(name, values, None)
        if array.ndim != 1:
            raise self.error(
                f"{name} has {array.ndim} dimensions, {array.shape}; give one entry an example"
            )
        if n is not None and len(array) != n:
            raise self.error(f"{name} has {len(array)} entries for {n} ids; give one an example")
        return array

    def _scores(self, values: ArrayLike) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = self._cast("scores", values, np.float32)
        if scores.ndim != 2 or scores.shape[0] != len(self.ids) or not scores.shape[1]:
            raise self.error(
                f"scores have the shape {scores.shape} for {len(self.ids)} ids; "
                "give (examples, classes)"
            )
        return scores

    def _cast(self, name: str, values: ArrayLike, kind: DTypeLike | None) -> NDArray[Any]:
        try:
            return np.asarray(values, dtype=kind)
        except (TypeError, ValueError, RuntimeError) as wrong:
            raise self.error(
                f"{name} is no array of {'one shape' if kind is None else 'numbers'} "
                f"({shown(wrong)}); give a list or a NumPy array"
            ) from wrong


def own_predictions(arrays: OwnArrays, classes: tuple[str, ...]) -> Predictions:
    """Return the predictions that the arrays state; takes the columns out of ``arrays``.

    Raises:
        DataError: a label is no class, or neither scores, predicted nor error say what is wrong.
    """
    given, scores = arrays.columns, arrays.scores
    is_class = bool(classes) or scores is not None or "error" not in given
    target = _labels(arrays, "target", classes, is_class)
    predicted = _labels(arrays, "predicted", classes, is_class) if "predicted" in given else None
    if not classes and scores is not None and target.dtype.kind == "i":
        classes = tuple(str(i) for i in range(scores.shape[1]))
    if predicted is None and scores is not None:
        if target.dtype.kind != "i":
            raise arrays.error("target holds names and classes were not; give run(…, classes=…)")
        predicted = scores.argmax(axis=1)
    error = arrays.take("error", np.float64)
    if error is None and predicted is None:
        raise arrays.error("scores, predicted and error are all missing; give one of them")
    weight, loss = arrays.take("weight", np.float64), arrays.take("loss", np.float64)
    text = {name: arrays.take(name, np.str_) for name in ("source", "group", "media")}
    target, predicted, labels = _as_values(target, predicted)
    guesses = target if predicted is None else predicted
    return Predictions(
        split=arrays.split,
        example_id=arrays.ids.astype(np.str_),
        target=target,
        predicted=guesses,
        error=_differ(arrays, target, guesses) if error is None else error,
        weight=np.ones(len(target)) if weight is None else weight,
        loss=loss,
        classes=classes,
        scores=scores,
        labels=labels,
        metadata=dict(arrays.columns),
        **text,
    )


def _as_values(
    target: NDArray[Any], predicted: NDArray[Any] | None
) -> tuple[NDArray[Any], NDArray[Any] | None, Labels]:
    """Return numbers as numbers where both are; a truth that nobody predicted as text."""
    kinds = {target.dtype.kind} | ({predicted.dtype.kind} if predicted is not None else set())
    if "f" not in kinds:
        return target, predicted, CLASSES
    if predicted is None or not kinds <= {"f", "i"}:
        said = None if predicted is None else predicted.astype(np.str_)
        return target.astype(np.str_), said, Labels(kind="value", names=("target",))
    return target.astype(np.float64), predicted.astype(np.float64), _NUMBERS


def _labels(arrays: OwnArrays, name: str, classes: tuple[str, ...], is_class: bool) -> NDArray[Any]:
    """Return labels as positions, as numbers, or as text where nobody named the classes."""
    values = arrays.columns.pop(name)
    if values.dtype.kind == "f" and not is_class:
        return values.astype(np.float64)
    if values.dtype.kind in "iub":
        return values.astype(np.int64)
    if values.dtype.kind in "fc" and is_class:
        raise arrays.error(
            f"{name} holds numbers with a decimal point ({shown(values[:1])}); "
            "give class positions as integers, or class names"
        )
    text = values.astype(np.str_)
    if not classes:
        return text
    index = {known: position for position, known in enumerate(classes)}
    for row, label in enumerate(text.tolist(), start=1):
        if label not in index:
            raise arrays.error(
                f"row {row}: {name} {shown(label)!r} is no class; {did_you_mean(label, classes)}"
            )
    return np.array([index[label] for label in text.tolist()], dtype=np.int64)


def _differ(
    arrays: OwnArrays, target: NDArray[Any], predicted: NDArray[Any]
) -> NDArray[np.float64]:
    if (target.dtype.kind == "i") != (predicted.dtype.kind == "i"):
        raise arrays.error(
            "of target and predicted one holds names and one integers; give both alike"
        )
    return np.asarray(target != predicted, dtype=np.float64)
