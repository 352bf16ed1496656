"""How far the mean error over a few seeds may lie from that of endlessly many, size by size."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

PRIOR_RATIO = 0.5
"""Variance between seeds on the same examples over the binomial one, before any is seen."""

PRIOR_SEEDS = 2.0
"""Degrees of freedom that the prior ratio is worth."""

POOLED = 4.0
"""Degrees of freedom that the ratio of all sizes is worth beside a size's own spread."""


def standard_errors(errors: Sequence[Numbers], n: float | Numbers) -> tuple[Numbers, Numbers]:
    """Return the mean (k,) over seeds at each size, and its standard error (k,).

    Seeds (with a draw of the subset each) are judged on the same dev examples, so their spread is
    what differs from size to size; the dev set's own sampling moves all sizes together and is no
    part of it. The spread of a few seeds is poorly known: each size's variance is shrunk towards a
    multiple of the binomial variance that all sizes share, itself shrunk towards
    ``PRIOR_RATIO`` (an inverse-χ² mean, as in empirical Bayes; Smyth 2004).

    Args:
        errors: of each size, one error a seed (any number of seeds, one included).
        n: examples that each error is measured on, groups counted by their effective
            size; one number, or one a size (k,).
    """
    means = np.array([float(np.mean(found)) for found in errors])
    freedom = np.array([len(found) - 1.0 for found in errors])
    own = np.array([float(np.var(found, ddof=1)) if len(found) > 1 else 0.0 for found in errors])
    smoothed = (means * n + 0.5) / (n + 1)
    binomial = smoothed * (1 - smoothed) / n
    ratio = (PRIOR_SEEDS * PRIOR_RATIO + (freedom * own / binomial).sum()) / (
        PRIOR_SEEDS + freedom.sum()
    )
    variance = (POOLED * ratio * binomial + freedom * own) / (POOLED + freedom)
    return means, np.sqrt(variance / (freedom + 1))
