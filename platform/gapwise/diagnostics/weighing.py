"""Errors under stated weights: some mistakes are worse than others (notes 4.6).

``KIND=FACTOR`` says how much an example, or a kind of mistake, counts; what is not named counts 1.

- ``COLUMN:VALUE=10``: examples whose column has the value weigh ten times as much. The error stays
  the weighted mean of the notes, Σ w·[ŷ ≠ y] / Σ w.
- ``TRUE->PREDICTED=10``: calling TRUE PREDICTED is ten times as bad as another mistake; ``*``
  stands for any class. The error is the mean cost as a share of the worst cost, so it stays in
  [0, 1].
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.records import Predictions

ANY = "*"
_TEXT = ("source", "group")


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """One stated weight.

    Attributes:
        column: a column of the predictions, "" for a kind of mistake.
        value: the column's value.
        true, predicted: classes of the kind of mistake; ``*`` is any.
        factor: how many times as much it counts.
    """

    factor: float
    column: str = ""
    value: str = ""
    true: str = ""
    predicted: str = ""

    def __str__(self) -> str:
        kind = f"{self.column}:{self.value}" if self.column else f"{self.true}->{self.predicted}"
        return f"{kind}={self.factor:g}"

    @classmethod
    def parse(cls, text: str) -> "Weighing":
        """Read ``COLUMN:VALUE=FACTOR`` or ``TRUE->PREDICTED=FACTOR``.

        Raises:
            UsageError: it cannot be read, or the factor is no number above 0.
        """
        kind, _, number = text.rpartition("=")
        factor = _number(number)
        true, arrow, predicted = (part.strip() for part in kind.partition("->"))
        column, colon, value = (part.strip() for part in kind.partition(":"))
        if not (math.isfinite(factor) and factor > 0):
            kind = ""
        if kind and arrow and true and predicted:
            return cls(factor=factor, true=true, predicted=predicted)
        if kind and colon and not arrow and column and value:
            return cls(factor=factor, column=column, value=value)
        raise UsageError(
            f"{shown(text)!r} is no weight; write COLUMN:VALUE=10 for examples that count ten "
            "times, or TRUE->PREDICTED=10 for a mistake that is ten times as bad"
        )


def weighed(predictions: Predictions, weighings: Sequence[Weighing]) -> Predictions:
    """Return ``predictions`` with the errors and weights that ``weighings`` give them.

    Raises:
        DataError: there is no such column, value or class.
    """
    weight, cost = predictions.weight.astype(np.float64), np.ones(len(predictions))
    mistakes = [one for one in weighings if not one.column]
    for one in weighings:
        if one.column:
            weight = np.where(_rows(predictions, one), weight * one.factor, weight)
        else:
            cost = np.where(_kind(predictions, one), cost * one.factor, cost)
    worst = max([1.0, *(one.factor for one in mistakes)])
    return replace(
        predictions, error=np.minimum(predictions.error * cost / worst, 1.0), weight=weight
    )


def balanced(predictions: Predictions, column: str) -> Predictions:
    """Return ``predictions`` so weighted that each value of ``column`` weighs as much as another.

    Raises:
        DataError: there is no such column.
    """
    values = column_of(predictions, column)
    names, codes = np.unique(values, return_inverse=True)
    mass = np.bincount(codes, predictions.weight, len(names))
    bearing = mass > 0
    share = np.divide(
        len(values) / max(1, bearing.sum()), mass, out=np.zeros(len(mass)), where=bearing
    )
    return replace(predictions, weight=predictions.weight * share[codes])


def column_of(predictions: Predictions, column: str) -> NDArray[np.str_]:
    """Return a column of the predictions as text, (n,): source, group, class or metadata.

    Raises:
        DataError: there is no such column.
    """
    known = {name: getattr(predictions, name) for name in _TEXT}
    found = {name: values for name, values in known.items() if values is not None}
    found |= dict(predictions.metadata)
    if predictions.classes:
        found["class"] = np.array(predictions.classes)[predictions.target.astype(np.int64)]
    if column not in found:
        raise DataError(
            f"the predictions of {predictions.split} have no column {shown(column)!r}; "
            f"{did_you_mean(column, list(found))}"
        )
    return np.asarray(found[column]).astype(str)


def _rows(predictions: Predictions, one: Weighing) -> NDArray[np.bool_]:
    values = column_of(predictions, one.column)
    rows: NDArray[np.bool_] = values == one.value
    if not rows.any():
        known = np.unique(values).tolist()
        raise DataError(
            f"no example of {predictions.split} has {one.column} {shown(one.value)!r}; "
            f"{did_you_mean(one.value, known)}"
        )
    return rows


def _kind(predictions: Predictions, one: Weighing) -> NDArray[np.bool_]:
    classes = predictions.classes
    if not classes:
        raise DataError(
            f"{one} weighs a mistake between classes, but the task has none; weigh by a column"
        )
    for name in (one.true, one.predicted):
        if name != ANY and name not in classes:
            raise DataError(
                f"{one}: there is no class {shown(name)!r}; {did_you_mean(name, classes)}"
            )

    def among(positions: NDArray[np.int64], name: str) -> NDArray[np.bool_]:
        return np.full(len(positions), True) if name == ANY else positions == classes.index(name)

    return among(predictions.target, one.true) & among(predictions.predicted, one.predicted)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
