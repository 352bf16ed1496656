"""Posterior draws of error rates: Jeffreys' Beta, and the Bayesian bootstrap by group.

Rubin (1981), "The Bayesian bootstrap", Annals of Statistics 9. Owen (2007), "The pigeonhole
bootstrap", Annals of Applied Statistics 1, for resampling two ways.
"""

import numpy as np
from numpy.typing import NDArray

from gapwise.statistics.intervals import Clusters, effective_size

DRAWS = 20_000
BLOCKS = 500
_CHUNK = 1_000

Draws = NDArray[np.float64]


def jeffreys(wrong: float, n: float, draws: int, generator: np.random.Generator) -> Draws:
    """Return draws (draws,) of Beta(wrong + ½, n − wrong + ½)."""
    return generator.beta(wrong + 0.5, n - wrong + 0.5, draws)


def bootstrap(
    totals: NDArray[np.float64],
    weights: NDArray[np.float64],
    most: float | None,
    draws: int,
    generator: np.random.Generator,
) -> Draws:
    """Return draws (draws, seeds) of the error rates of several seeds on the same groups.

    Groups get Dirichlet weights, shared by all seeds. Two atoms of half a group's exponential
    weight, at error 0 and at error 1 and worth one effective example, keep draws away from a false
    certainty where all errors are equal; for independent 0/1 errors this is Jeffreys' Beta exactly.
    Deviations are widened as Student's t on groups − 1, since few groups understate their spread.

    Args:
        totals: (groups, seeds) Σ weight × error.
        weights: (groups,) Σ weight.
        most: see ``Clusters``.
        draws: how many.
        generator: source of the draws.
    """
    together = Clusters(totals.mean(axis=1), weights, most)
    atom = float(weights.sum()) / effective_size(together)
    groups = together.groups
    rates = totals.sum(axis=0) / weights.sum()
    if groups < 2:
        return _one_group(rates, draws, generator)
    rows, counts = _collapsed(np.column_stack([totals, weights]), generator)
    deviations = np.empty((draws, totals.shape[1]))
    for start in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - start)
        sums = _gammas(counts, size, generator) @ rows
        at_zero, at_one = generator.standard_gamma(0.5, (2, size, 1))
        errors = (sums[:, :-1] + atom * at_one) / (sums[:, -1:] + atom * (at_zero + at_one))
        deviations[start : start + size] = errors - rates
    drawn = rates + deviations * widening(int(min(groups, counts.sum())), draws, generator)[:, None]
    return np.asarray(np.clip(drawn, 0.0, 1.0), np.float64)


def seed_deviations(seeds: int, draws: int, generator: np.random.Generator) -> Draws:
    """Return (draws, seeds): Dirichlet weights of the seeds less 1/seeds, widened like Student's t.

    The mean over seeds plus these times the seeds' rates is a draw of the pipeline's rate.
    """
    if seeds == 1:
        return np.zeros((draws, 1))
    weights = generator.dirichlet(np.ones(seeds), draws) - 1 / seeds
    widened: Draws = weights * widening(seeds, draws, generator)[:, None]
    return widened


def widening(units: int, draws: int, generator: np.random.Generator) -> Draws:
    """Return (draws,) factors that turn a Bayesian bootstrap of few units into a Student's t.

    The bootstrap's variance is (units − 1) / (units + 1) of the unbiased one, and the variance
    itself is known on units − 1 degrees of freedom only.
    """
    return np.sqrt((units + 1) / generator.chisquare(units - 1, draws))


def _one_group(rates: Draws, draws: int, generator: np.random.Generator) -> Draws:
    """One group is one observation, however many examples it has."""
    columns = [jeffreys(float(np.clip(rate, 0, 1)), 1, draws, generator) for rate in rates]
    return np.column_stack(columns)


def _collapsed(rows: Draws, generator: np.random.Generator) -> tuple[Draws, NDArray[np.int64]]:
    """Return distinct rows with their counts; too many are first merged at random into blocks.

    Groups are independent, so blocks of them are; the variance is kept, on BLOCKS − 1 degrees of
    freedom.
    """
    head = rows[: 4 * BLOCKS]
    if len(np.unique(head, axis=0)) <= BLOCKS:
        distinct, counts = _distinct(rows)
        if len(distinct) <= BLOCKS:
            return distinct, counts
    block = generator.permutation(len(rows)) % BLOCKS
    merged = [np.bincount(block, column, BLOCKS) for column in rows.T]
    return np.column_stack(merged).astype(np.float64), np.ones(BLOCKS, np.int64)


def _distinct(rows: Draws) -> tuple[Draws, NDArray[np.int64]]:
    order = np.lexsort(rows.T)
    ordered = rows[order]
    starts = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)])
    return ordered[starts], np.diff(np.r_[starts, len(rows)])


def _gammas(counts: NDArray[np.int64], size: int, generator: np.random.Generator) -> Draws:
    if (counts == 1).all():
        weights = generator.standard_exponential((size, len(counts)), np.float32)
        return weights.astype(np.float64)
    return generator.standard_gamma(counts, (size, len(counts)))
