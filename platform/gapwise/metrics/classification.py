"""Errors of single examples and what sums them up: confusion, precision, recall, F1 (notes 4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ClassReport:
    """What one class gets; None where a quotient has nothing below its line ("not defined").

    Attributes:
        name: the class.
        support: weight of the examples that are of this class.
        precision: right among those said to be of the class; None where none is.
        recall: right among those that are of the class; None where none is.
        f1: harmonic mean of both (notes 4.3); None where the class neither occurs nor is predicted.
    """

    name: str
    support: float
    precision: float | None
    recall: float | None
    f1: float | None


def zero_one_errors(
    predicted: NDArray[np.generic], target: NDArray[np.generic]
) -> NDArray[np.float64]:
    """Return (n,) errors: 1 where prediction and target differ, else 0."""
    return np.asarray(predicted != target, np.float64)


def confusion_matrix(
    target: Positions,
    predicted: Positions,
    classes: int,
    weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return (classes, classes): the weight of examples by true class (row) and predicted (column).

    Raises:
        ValueError: a position is negative or not below ``classes``.
    """
    for name, positions in (("target", target), ("predicted", predicted)):
        if len(positions) and not (positions.min() >= 0 and positions.max() < classes):
            raise ValueError(f"{name} holds a position outside of 0 to {classes - 1}")
    cells = np.bincount(target * classes + predicted, weight, classes * classes)
    return cells.astype(np.float64).reshape(classes, classes)


def by_class(confusion: NDArray[np.float64], names: Sequence[str]) -> tuple[ClassReport, ...]:
    """Return precision, recall and F1 of every class; what is undefined is None, never 0."""
    right = np.diag(confusion)
    support = confusion.sum(axis=1)
    said = confusion.sum(axis=0)
    return tuple(
        ClassReport(
            name=name,
            support=float(support[i]),
            precision=_quotient(right[i], said[i]),
            recall=_quotient(right[i], support[i]),
            f1=_quotient(2 * right[i], support[i] + said[i]),
        )
        for i, name in enumerate(names)
    )


def mean_f1(reports: Sequence[ClassReport]) -> float | None:
    """Return F1 averaged over the classes where it is defined; None where it is nowhere."""
    defined = [report.f1 for report in reports if report.f1 is not None]
    return sum(defined) / len(defined) if defined else None


@dataclass(frozen=True)
class Tallies:
    """What precision, recall and F1 of every class need; leading axes hold several tables at once.

    Attributes:
        right: (…, classes) weight of examples that are of the class and said to be.
        said: (…, classes) weight of those said to be of it.
        support: (…, classes) weight of those that are of it.
    """

    right: Numbers
    said: Numbers
    support: Numbers

    def each(self, figure: str) -> Numbers:
        """Return (…, classes): ``precision``, ``recall`` or ``f1``; NaN where undefined."""
        above, below = {
            "precision": (self.right, self.said),
            "recall": (self.right, self.support),
            "f1": (2 * self.right, self.said + self.support),
        }[figure]
        values: Numbers = np.full(np.shape(above), np.nan)
        np.divide(above, below, out=values, where=below > 0)
        return values

    def mean(self, figure: str, *, weighted: bool = False) -> Numbers:
        """Return (…): the mean over the classes where the figure is defined; NaN where nowhere.

        Args:
            figure: ``precision``, ``recall`` or ``f1``.
            weighted: each class counts by its support; otherwise all alike (macro average).
        """
        values = self.each(figure)
        weight = np.where(np.isnan(values), 0.0, self.support if weighted else 1.0)
        total = weight.sum(axis=-1)
        summed = (np.nan_to_num(values) * weight).sum(axis=-1)
        means: Numbers = np.full(np.shape(total), np.nan)
        np.divide(summed, total, out=means, where=total > 0)
        return means


def _quotient(above: float, below: float) -> float | None:
    return float(above / below) if below > 0 else None
