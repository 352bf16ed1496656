"""The mean of paired differences: its interval, and whether chance alone could give it.

Tango's score interval and exact McNemar where differences are −1, 0 or 1 of independent examples
(Tango 1998; McNemar 1947); otherwise the linearised interval, t on groups − 1, and sign flips by
group (Fisher 1935).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.statistics.intervals import Interval
from gapwise.statistics.paired import mcnemar, tango
from gapwise.statistics.signflip import clustered_difference, sign_flip


@dataclass(frozen=True, kw_only=True)
class PairedMean:
    """A weighted mean difference; no interval where a single group, or none, shows a spread."""

    mean: float
    interval: Interval | None
    p_value: float

    @property
    def low(self) -> float | None:
        """Lower end of the 95 % interval."""
        return self.interval.low if self.interval else None

    @property
    def high(self) -> float | None:
        """Upper end of the 95 % interval."""
        return self.interval.high if self.interval else None


def paired_mean(
    differences: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    group: NDArray[np.generic] | None = None,
) -> PairedMean:
    """Return the mean of ``differences`` (n,) against 0.

    Args:
        differences: one an example, in [−2, 2].
        weight: (n,) or None for 1.
        group: (n,) keys of what is independent, or None where examples are.
    """
    signs = bool(np.isin(differences, (-1.0, 0.0, 1.0)).all())
    if signs and weight is None and group is None:
        return _of_counts(differences)
    weights = np.ones(len(differences)) if weight is None else weight
    sums, masses = weights * differences, weights
    if group is not None:
        codes = np.unique(group, return_inverse=True)[1]
        sums = np.bincount(codes, sums).astype(np.float64)
        masses = np.bincount(codes, masses).astype(np.float64)
    sums, masses = sums[masses > 0], masses[masses > 0]
    mean = float(sums.sum() / masses.sum())
    return PairedMean(mean=mean, interval=_interval(sums, masses), p_value=sign_flip(sums))


def _of_counts(differences: NDArray[np.float64]) -> PairedMean:
    n = len(differences)
    above, below = int((differences > 0).sum()), int((differences < 0).sum())
    interval = tango(above, below, n)
    return PairedMean(mean=(above - below) / n, interval=interval, p_value=mcnemar(above, below))


def _interval(sums: NDArray[np.float64], masses: NDArray[np.float64]) -> Interval | None:
    """Return the linearised interval; where all groups agree, each counts as one example."""
    means = sums / masses
    if len(sums) > 1 and np.ptp(means) < 1e-12:
        value, n = round(float(means[0]), 9), len(sums)
        if value not in (-1.0, 0.0, 1.0):
            return None
        return tango(n * (value > 0), n * (value < 0), n)
    return clustered_difference(sums, masses)
