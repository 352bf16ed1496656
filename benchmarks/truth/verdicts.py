"""Verdicts on ladders whose truth is known, and whether ``probability_largest`` is calibrated.

    python benchmarks/truth/verdicts.py [--simulations 3000] [--seed 0]

True rungs are drawn by a law, errors are drawn from them, the ladder is judged. A verdict is right
when it names the truly largest gap, or ``none`` while every true gap is below δ. Variance is judged
against the observed train error, as DESIGN has it.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.gaps import gap_draws, judge, links
from gapwise.diagnostics.rungs import Counted
from gapwise.statistics.intervals import wilson

Generator = np.random.Generator
Rates = NDArray[np.float64]

DELTA = 0.01
SIZES = {"human": 1000, "train": 2000, "train_dev": 500, "dev": 600}
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)


def jeffreys(generator: Generator) -> Rates:
    """Every rung from Beta(½, ½): the prior under which the probabilities are calibrated."""
    return generator.beta(0.5, 0.5, 4)


def climbing(generator: Generator) -> Rates:
    """Every gap exponential with mean 3 points."""
    gaps: Rates = generator.exponential(0.03, 4)
    return np.asarray(np.minimum(gaps.cumsum(), 1.0), np.float64)


def nearly_equal(generator: Generator) -> Rates:
    """Two gaps of 2 points each, give or take half a point, and none between: the hard case."""
    middle = 0.03 + generator.normal(0, 0.005)
    return np.array([0.01, middle, middle, 0.05])


def healthy(generator: Generator) -> Rates:
    """No gap above half a point."""
    return 0.01 + generator.uniform(0, 0.005, 4).cumsum()


LAWS: Mapping[str, Callable[[Generator], Rates]] = {
    "rungs ~ Beta(½, ½)": jeffreys,
    "gaps ~ Exp(3 points)": climbing,
    "two nearly equal gaps": nearly_equal,
    "healthy: gaps < ½ point": healthy,
}


def ladder(rates: Rates, seed: int, generator: Generator) -> tuple[str, str, Rates, int]:
    """Return the verdict, the right one, the probabilities, and the position of the largest."""
    posteriors = {
        rung: Counted(int(generator.binomial(n, rate)), n)
        for (rung, n), rate in zip(SIZES.items(), rates, strict=True)
    }
    chain = links(SIZES, same_distribution=False)
    source = np.random.default_rng(seed)
    draws = {rung: posterior.draw(1.0, source) for rung, posterior in posteriors.items()}
    verdict = judge(chain, gap_draws(chain, draws, posteriors), DELTA)
    train = posteriors["train"]
    true = np.array([rates[1] - rates[0], rates[2] - train.wrong / train.n, rates[3] - rates[2]])
    largest = int(true.argmax())
    right = chain[largest].name if (true >= DELTA).any() else "none"
    return verdict.name, right, verdict.largest, largest


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Verdicts on ladders of known truth")
    parser.add_argument("--simulations", type=int, default=3000, help="ladders a law")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{options.simulations:,} ladders a law, seed {options.seed}, n = {SIZES}, δ = {DELTA}")
    print(f"{'law':25} {'right':>7} {'undecided':>10} {'wrong':>7}  (95 % of wrong)")
    told: dict[str, tuple[list[Rates], list[NDArray[np.bool_]]]] = {}
    for name, law in LAWS.items():
        generator = np.random.default_rng([options.seed, *name.encode()])
        counts: Counter[str] = Counter()
        for number in range(options.simulations):
            said, right, largest, position = ladder(law(generator), number, generator)
            counts["undecided" if said == "undecided" else str(said == right)] += 1
            if law in (jeffreys, nearly_equal):
                probabilities, hits = told.setdefault(name, ([], []))
                probabilities.append(largest)
                hits.append(np.arange(len(largest)) == position)
        share = {key: 100 * counts[key] / options.simulations for key in ("True", "undecided")}
        wrong = wilson(counts["False"], options.simulations)
        print(
            f"{name:25} {share['True']:6.1f}% {share['undecided']:9.1f}% "
            f"{100 * counts['False'] / options.simulations:6.2f}%  "
            f"{100 * wrong.low:.2f} – {100 * wrong.high:.2f}"
        )
    for name, (probabilities, hits) in told.items():
        print(f"\nprobability_largest against how often the gap was the largest, {name}:")
        said_, held = np.concatenate(probabilities), np.concatenate(hits)
        for low, high in pairwise(BINS):
            inside = (said_ >= low) & ((said_ < high) | (high == 1.0))
            if inside.any():
                print(
                    f"  {low:.2f} – {high:.2f}: said {said_[inside].mean():.3f}, "
                    f"was {held[inside].mean():.3f} of {inside.sum():,}"
                )


if __name__ == "__main__":
    main()
