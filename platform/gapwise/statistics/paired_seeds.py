"""Two settings, each trained under several seeds and judged on the same examples.

The difference speaks of the settings, not of single runs: its variance is that of the examples
(differences paired by example, linearised by group) plus that of the seeds (each setting's own,
over its number of seeds), as if both were drawn anew (Owen 2007 shows that sum to be conservative).
Student's t with the degrees of freedom of Welch and Satterthwaite (Satterthwaite 1946).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from gapwise.statistics.paired_mean import paired_mean

Errors = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SeedsCompared:
    """Mean errors of both settings and their difference, first − second, with its 95 % interval.

    ``low`` and ``high`` are None where one example or group shows no spread.
    """

    first: float
    second: float
    difference: float
    low: float | None
    high: float | None


def paired_seeds(
    first: Errors,
    second: Errors,
    weight: Errors | None = None,
    group: NDArray[np.generic] | None = None,
) -> SeedsCompared:
    """Compare two settings.

    Args:
        first, second: (seeds, examples) errors in [0, 1] of the same examples.
        weight: (examples,) or None for 1.
        group: (examples,) keys of what is independent, or None where examples are.

    Raises:
        ValueError: the examples are not the same in number.
    """
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"{first.shape[1]} and {second.shape[1]} examples; they must be the same")
    weights = np.ones(first.shape[1]) if weight is None else weight
    ours, theirs = (np.average(one, axis=1, weights=weights) for one in (first, second))
    alone = paired_mean(first.mean(axis=0) - second.mean(axis=0), weight, group)
    low, high = alone.low, alone.high
    spreads = [float(one.var(ddof=1)) / len(one) for one in (ours, theirs) if len(one) > 1]
    if low is not None and high is not None and sum(spreads) > 0:
        units = first.shape[1] if group is None else len(np.unique(group))
        own = ((high - low) / (2 * float(student.ppf(0.975, units - 1)))) ** 2
        total = own + sum(spreads)
        shares = [own**2 / (units - 1)]
        shares += [
            spread**2 / (len(one) - 1) for spread, one in zip(spreads, (ours, theirs), strict=False)
        ]
        reach = float(student.ppf(0.975, total**2 / sum(shares))) * float(np.sqrt(total))
        middle = (low + high) / 2
        low, high = max(-1.0, middle - reach), min(1.0, middle + reach)
    return SeedsCompared(
        first=float(ours.mean()),
        second=float(theirs.mean()),
        difference=alone.mean,
        low=low,
        high=high,
    )
