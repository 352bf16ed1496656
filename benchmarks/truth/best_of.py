"""How much too good the best of N runs looks: the truth, our estimate, the normal formula.

    python -m benchmarks.truth.best_of [--repeats 200]

Runs err on a common pattern of hard examples (each example's difficulty is Beta-distributed; a run
of skill s errs where its logit, shifted by s, and own noise say so), as seeds and small variants of
one network do. The truth is the best run's error on 20,000 new examples less its error on the n
that it was chosen by. Seeds are 0, 1, …; ± is the standard error of the mean.
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from gapwise.statistics.best_of import best_of

NEW = 20_000
LAWS = ((100, 300, 0.15), (100, 300, 0.0), (20, 300, 0.15), (20, 1000, 0.15), (5, 300, 0.3))
"""Runs, examples, and the deviation of the runs' skill in logits."""


def errors(random: np.random.Generator, skills: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return (runs, n) errors of 0 and 1 on fresh examples."""
    difficulty = special.logit(np.clip(random.beta(0.4, 2.0, n), 1e-6, 1 - 1e-6))
    chance = special.expit(difficulty[None, :] - skills[:, None])
    return (random.random((len(skills), n)) < chance).astype(np.float64)


def once(seed: int, runs: int, n: int, spread: float) -> tuple[float, float, float]:
    """Return the true optimism, our estimate, and that of independent normal draws."""
    random = np.random.default_rng(seed)
    skills = random.normal(0, spread, runs)
    seen = errors(random, skills, n)
    found = best_of(seen, draws=500, seed=seed)
    new = errors(random, skills[[found.best]], NEW).mean()
    deviation = np.sqrt((seen.mean(axis=1) * (1 - seen.mean(axis=1)) / n).mean())
    expected = deviation * float(stats.norm.ppf((runs - 0.375) / (runs + 0.25)))
    return float(new - found.apparent), found.optimism, expected


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=200)
    repeats = parser.parse_args().repeats
    print("| runs | examples | spread of skill | true, points | ours | independent normal |")
    print("| --- | --- | --- | --- | --- | --- |")
    for runs, n, spread in LAWS:
        found = 100 * np.array([once(seed, runs, n, spread) for seed in range(repeats)])
        cells = [
            f"{column.mean():.2f} ± {column.std(ddof=1) / np.sqrt(repeats):.2f}"
            for column in found.T
        ]
        print(f"| {runs} | {n:,} | {spread} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
