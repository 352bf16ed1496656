"""Intervals of one error rate: Wilson's, and Wilson's on the design-effect sample size.

Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
Korn and Graubard (1998), "Confidence intervals for proportions with small expected number of
positive counts estimated from survey data", Survey Methodology 24.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A confidence interval; both ends are fractions of 1."""

    low: float
    high: float


@dataclass(frozen=True)
class Clusters:
    """Errors summed by group, all that an interval of grouped or weighted errors needs.

    Attributes:
        totals: (groups,) Σ weight × error of each group.
        weights: (groups,) Σ weight of each group.
        most: the sample size that is never exceeded; None for errors that are not 0 or 1, which
            may vary less than coin tosses do.
    """

    totals: NDArray[np.float64]
    weights: NDArray[np.float64]
    most: float | None = None

    @property
    def rate(self) -> float:
        """The weighted mean error."""
        return min(1.0, max(0.0, float(self.totals.sum() / self.weights.sum())))

    @property
    def groups(self) -> int:
        """How many groups bear weight."""
        return int(np.count_nonzero(self.weights))


def wilson(wrong: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Return Wilson's interval for ``wrong`` errors among ``n`` independent examples.

    ``wrong`` need not be whole: a published human error times its n seldom is.
    """
    return score(wrong / n, n, float(special.ndtri((1 + confidence) / 2)))


def score(rate: float, n: float, quantile: float) -> Interval:
    """Return the score interval of ``rate`` for a sample size and a quantile of one's choice."""
    square = quantile**2
    middle = (rate + square / (2 * n)) / (1 + square / n)
    half = quantile / (1 + square / n) * np.sqrt(rate * (1 - rate) / n + square / (4 * n**2))
    low = 0.0 if rate <= 0 else max(0.0, float(middle - half))
    high = 1.0 if rate >= 1 else min(1.0, float(middle + half))
    return Interval(low, high)


def effective_size(clusters: Clusters) -> float:
    """Return the number of independent examples that would tell as much as these groups do.

    It is rate (1 − rate) over the linearised variance of the ratio Σ totals / Σ weights. Where all
    groups agree to the last digit the variance says nothing, and each group counts as one example
    (Kish's size when they differ in weight): the careful end.
    """
    weights, rate, groups = clusters.weights, clusters.rate, clusters.groups
    residuals = (clusters.totals - rate * weights) / weights.sum()
    kish = float(weights.sum() ** 2 / (weights**2).sum())
    if groups < 2:
        return 1.0
    variance = groups / (groups - 1) * float((residuals**2).sum())
    spread = rate * (1 - rate)
    if variance <= 1e-12 * max(spread, 1e-12) or spread <= 0:
        return kish
    size = spread / variance
    return size if clusters.most is None else min(size, clusters.most)


def clustered(clusters: Clusters, confidence: float = CONFIDENCE) -> Interval | None:
    """Return Wilson's interval on the design-effect sample size, t on groups − 1.

    None for a single group: nothing shows how much groups differ.
    """
    if clusters.groups < 2:
        return None
    quantile = float(stats.t.ppf((1 + confidence) / 2, clusters.groups - 1))
    return score(clusters.rate, effective_size(clusters), quantile)
