"""Paired differences that are grouped, weighted or fractional: sign flips by group.

Under the null hypothesis a group's difference is as likely to be of one sign as of the other
(Fisher 1935, The Design of Experiments, §21; Good 2005, Permutation, Parametric, and Bootstrap
Tests of Hypotheses).
"""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gapwise.statistics.intervals import CONFIDENCE, Interval

FLIPS = 20_000
_EXACT = 12
_CELLS = 2_000_000


def sign_flip(sums: NDArray[np.float64], seed: int = 0) -> float:
    """Return the two-sided p-value of Σ ``sums`` = 0, one sum a group; exact up to 12 groups."""
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    limit = abs(sums.sum()) - 1e-12 * np.abs(sums).sum()
    if len(sums) <= _EXACT:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(sums))))
        return float((np.abs(signs @ sums) >= limit).mean())
    generator = np.random.default_rng(seed)
    chunk = max(1, _CELLS // len(sums))
    beyond = 0
    for start in range(0, FLIPS, chunk):
        size = (min(chunk, FLIPS - start), len(sums))
        signs = generator.integers(0, 2, size, dtype=np.int8)
        beyond += int((np.abs(2.0 * (signs @ sums) - sums.sum()) >= limit).sum())
    return (beyond + 1) / (FLIPS + 1)


def clustered_difference(
    sums: NDArray[np.float64], weights: NDArray[np.float64], confidence: float = CONFIDENCE
) -> Interval | None:
    """Return the interval of Σ sums / Σ weights, linearised, t on groups − 1; None for one group.

    Args:
        sums: (groups,) Σ weight × (error(A) − error(B)).
        weights: (groups,) Σ weight.
        confidence: the level.
    """
    groups = len(sums)
    if groups < 2:
        return None
    estimate = float(sums.sum() / weights.sum())
    residuals = (sums - estimate * weights) / weights.sum()
    spread = np.sqrt(groups / (groups - 1) * float((residuals**2).sum()))
    half = float(stats.t.ppf((1 + confidence) / 2, groups - 1) * spread)
    return Interval(max(-1.0, estimate - half), min(1.0, estimate + half))
