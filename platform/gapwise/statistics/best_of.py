"""How much too good the best of several looks on the examples that it was chosen by.

Bootstrap, select, evaluate (Tsamardinos, Greasidou and Borboudakis 2018, "Bootstrapping the
out-of-sample predictions for efficient and accurate cross-validation", Machine Learning 107):
resample the examples, choose the best run on the sample, and take its error on the examples that
the sample left out. Runs that err on the same examples are chosen from with less luck than
independent ones, which formulas for independent normal draws overlook.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
_CELLS = 8_000_000
_TINY = 1e-300


@dataclass(frozen=True, kw_only=True)
class Optimism:
    """What choosing cost in honesty.

    Attributes:
        best: place of the run with the lowest error.
        apparent: its error on these examples.
        corrected: the error to expect of a run that is chosen so, on new examples.
        low, high: between which 95 % of the samples' errors on left-out examples lie.
        candidates: runs chosen among.
        n: examples, or groups of them.
    """

    best: int
    apparent: float
    corrected: float
    low: float
    high: float
    candidates: int
    n: int

    @property
    def optimism(self) -> float:
        """By how much the best run's error is too low."""
        return max(0.0, self.corrected - self.apparent)


def best_of(
    errors: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    group: NDArray[np.generic] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Optimism:
    """Return how optimistic the lowest mean error of several runs is.

    Args:
        errors: (runs, examples) in [0, 1], of the same examples.
        weight: (examples,) or None for 1.
        group: (examples,) keys of what is drawn together, or None where examples are.
        draws: bootstrap samples.
        seed: of the samples.

    Raises:
        ValueError: there is no run or no example, or the shapes differ.
    """
    if errors.ndim != 2 or not errors.size:
        raise ValueError(f"errors has the shape {errors.shape}; it must be (runs, examples)")
    weights = np.ones(errors.shape[1]) if weight is None else np.asarray(weight, np.float64)
    if weights.shape != errors.shape[1:]:
        raise ValueError(f"weight has the shape {weights.shape}, but {errors.shape[1]} examples")
    sums, masses = errors * weights, weights
    if group is not None:
        codes = np.unique(group, return_inverse=True)[1]
        sums = np.stack([np.bincount(codes, row) for row in sums]).astype(np.float64)
        masses = np.bincount(codes, masses).astype(np.float64)
    whole = sums.sum(axis=1) / masses.sum()
    n = len(masses)
    generator = np.random.default_rng(seed)
    found = []
    chunk = max(1, _CELLS // n)
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        times = generator.multinomial(n, np.full(n, 1 / n), size).astype(np.float64)
        chosen = ((times @ sums.T) / np.maximum(times @ masses, _TINY)[:, None]).argmin(axis=1)
        left = (times == 0).astype(np.float64)
        weighs = left @ masses
        rows = np.flatnonzero(weighs > 0)
        found.append(((left @ sums.T)[rows, chosen[rows]]) / weighs[rows])
    unseen = np.concatenate(found)
    if not len(unseen):  # a single example is never left out
        unseen = whole.min(keepdims=True)
    low, high = np.quantile(unseen, (0.025, 0.975))
    best = int(whole.argmin())
    return Optimism(
        best=best,
        apparent=float(whole[best]),
        corrected=float(unseen.mean()),
        low=float(low),
        high=float(high),
        candidates=len(errors),
        n=n,
    )
