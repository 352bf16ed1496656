"""Errors of predicted numbers in their own unit: MAE, RMSE and R² (notes 1.1, 4.3)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Regression:
    """How far predicted numbers are from the true ones.

    Attributes:
        n: examples.
        mae: mean absolute error, in the target's unit.
        median: median absolute error, in the target's unit; outliers do not move it.
        rmse: root of the mean squared error, in the target's unit.
        r2: share of the target's variance that is explained; None where the target is constant,
            negative where the mean would predict better.
        bias: mean of predicted − true, in the target's unit: above 0 where it predicts too much.
    """

    n: int
    mae: float
    median: float
    rmse: float
    r2: float | None
    bias: float


def regression(target: Numbers, predicted: Numbers, weight: Numbers | None = None) -> Regression:
    """Return what sums up the errors of ``predicted``.

    Args:
        target: (n,) true numbers.
        predicted: (n,) predicted numbers.
        weight: (n,) weights, 1 by default; the median is that of the weighted examples.

    Raises:
        ValueError: there are none, or the shapes differ, which numpy would broadcast.
    """
    if target.ndim != 1 or target.shape != predicted.shape or not len(target):
        raise ValueError(
            f"target has the shape {target.shape} and predicted {predicted.shape}; both must be "
            "(n,), and n at least 1"
        )
    target, predicted = target.astype(np.float64), predicted.astype(np.float64)
    weight = np.ones(len(target)) if weight is None else weight
    share = weight / weight.sum()
    residual = predicted - target
    squared = float((share * residual**2).sum())
    mean = float((share * target).sum())
    variance = float((share * (target - mean) ** 2).sum())
    return Regression(
        n=len(target),
        mae=float((share * np.abs(residual)).sum()),
        median=_median(np.abs(residual), share),
        rmse=float(np.sqrt(squared)),
        r2=1 - squared / variance if variance > 0 else None,
        bias=float((share * residual).sum()),
    )


def _median(values: Numbers, share: Numbers) -> float:
    """Return the weighted median: the mean of both middle values where half lies below."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(share[order])
    low, high = np.searchsorted(below, 0.5 - 1e-12), np.searchsorted(below, 0.5 + 1e-12)
    last = len(values) - 1
    middle = order[min(int(low), last)], order[min(int(high), last)]
    return float(values[middle[0]] + values[middle[1]]) / 2
