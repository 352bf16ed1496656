"""The area under the ROC curve: how often a score ranks a pair rightly, with its interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True)
class Auc:
    """The area, 0.5 for a score that tells nothing, and its 95 % interval."""

    area: float
    low: float
    high: float


def auc(negative: NDArray[np.floating], positive: NDArray[np.floating]) -> Auc:
    """Return P(a positive scores above a negative), ties counting half.

    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44: the variance is that of each example's
    mean rank among the other kind. The interval is taken on the logit, where it cannot leave
    [0, 1]; at an area of 0 or 1, half a pair is counted the other way first.

    Args:
        negative: (m,) scores of examples that are not of the kind, m ≥ 2.
        positive: (n,) scores of those that are, n ≥ 2.

    Raises:
        ValueError: fewer than two of a kind.
    """
    m, n = len(negative), len(positive)
    if min(m, n) < 2:
        raise ValueError(f"{m} and {n} examples have no area; give two or more of each")
    ranks = stats.rankdata(np.concatenate([negative, positive]))
    above = (ranks[m:] - stats.rankdata(positive)) / m  # share of negatives below each positive
    below = 1 - (ranks[:m] - stats.rankdata(negative)) / n
    area = float(above.mean())
    variance = float(below.var(ddof=1) / m + above.var(ddof=1) / n)
    inside = min(max(area, 0.5 / (m * n)), 1 - 0.5 / (m * n))
    variance = max(variance, inside * (1 - inside) / max(m, n) / min(m, n))
    half = stats.norm.ppf(0.975) * np.sqrt(variance) / (inside * (1 - inside))
    middle = np.log(inside / (1 - inside))
    low, high = (1 / (1 + np.exp(-(middle + sign * half))) for sign in (-1, 1))
    return Auc(area=area, low=min(float(low), area), high=max(float(high), area))
