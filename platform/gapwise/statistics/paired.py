"""Two classifiers on the same examples: exact McNemar and Tango's score interval.

McNemar (1947), Psychometrika 12. Tango (1998), "Equivalence test and confidence interval for the
difference in proportions for the paired-sample design", Statistics in Medicine 17.
"""

import math
from collections.abc import Callable

from scipy import optimize, special, stats

from gapwise.statistics.intervals import CONFIDENCE, Interval


def mcnemar(first_only: int, second_only: int) -> float:
    """Return the two-sided exact p-value of McNemar's test; 1 where the two never disagree.

    Args:
        first_only: examples that only the first gets wrong.
        second_only: examples that only the second gets wrong.
    """
    discordant = first_only + second_only
    if discordant == 0:
        return 1.0
    return float(stats.binomtest(first_only, discordant, 0.5).pvalue)


def tango(first_only: int, second_only: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return Tango's score interval of error(first) − error(second) over ``n`` shared examples."""
    quantile = float(special.ndtri((1 + confidence) / 2))
    estimate = (first_only - second_only) / n
    statistic = _statistic(first_only, second_only, n)
    return Interval(
        low=_root(lambda difference: statistic(difference) - quantile, -1.0, estimate),
        high=_root(lambda difference: statistic(difference) + quantile, estimate, 1.0),
    )


def _statistic(first_only: int, second_only: int, n: int) -> Callable[[float], float]:
    """Tango's z of a supposed difference; it falls from +∞ at −1 to −∞ at 1."""

    def z(difference: float) -> float:
        a = 2 * n
        b = -first_only - second_only + (2 * n - first_only + second_only) * difference
        c = -second_only * difference * (1 - difference)
        nuisance = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
        variance = n * (2 * nuisance + difference * (1 - difference))
        above = first_only - second_only - n * difference
        if variance <= 0:
            return math.copysign(math.inf, above) if above else 0.0
        return above / math.sqrt(variance)

    return z


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero between two ends; an end itself where the function does not change sign."""
    inside = 1e-12
    low, high = low + inside * (low == -1.0), high - inside * (high == 1.0)
    if low >= high or function(low) <= 0:
        return max(-1.0, round(low, 11))
    if function(high) >= 0:
        return min(1.0, round(high, 11))
    return float(optimize.brentq(function, low, high, xtol=1e-12))
