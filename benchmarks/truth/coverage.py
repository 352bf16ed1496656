"""Coverage: how often 95 % intervals hold the truth, by simulation.

    python benchmarks/truth/coverage.py [--simulations 20000] [--seed 0]

One row a case: what was drawn and how, the share of intervals that hold the truth with its own
Wilson interval, and how many miss on either side. Wilson's rows also print the exact minimum over
p: discrete intervals oscillate, and 95 % at every p is impossible.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gapwise.statistics.auc import auc
from gapwise.statistics.intervals import Clusters, clustered, wilson
from gapwise.statistics.paired import tango
from gapwise.statistics.posterior import bootstrap, jeffreys

Generator = np.random.Generator
Interval = tuple[float, float]
Case = Callable[[Generator], tuple[float, Interval]]

DRAWS = 2_000
_ENDS = (0.025, 0.975)


def one_rate(n: int) -> Case:
    """Wilson's interval; the truth is drawn evenly from 0 to 1."""

    def simulate(generator: Generator) -> tuple[float, Interval]:
        truth = generator.random()
        interval = wilson(generator.binomial(n, truth), n)
        return truth, (interval.low, interval.high)

    return simulate


def mismatch(p: float, q: float, n: int, m: int) -> Case:
    """The gap between two independent rungs, from Jeffreys posteriors."""

    def simulate(generator: Generator) -> tuple[float, Interval]:
        lower = jeffreys(generator.binomial(n, p), n, DRAWS, generator)
        upper = jeffreys(generator.binomial(m, q), m, DRAWS, generator)
        low, high = np.quantile(upper - lower, _ENDS)
        return q - p, (low, high)

    return simulate


def drawn_gap(
    generator: Generator, gap: Callable[[float, float, int, int], Case]
) -> tuple[float, Interval]:
    """A gap whose rungs are drawn: n from 100 to 2,000, rates so that 10 errors or more are due."""
    n, m = (int(10 ** generator.uniform(2, 3.3)) for _ in range(2))
    p, q = (generator.uniform(10 / size, 0.5) for size in (n, m))
    return gap(p, q, n, m)(generator)


def drawn(gap: Callable[[float, float, int, int], Case]) -> Case:
    """``drawn_gap`` as a case."""
    return lambda generator: drawn_gap(generator, gap)


def drawn_pair(generator: Generator) -> tuple[float, Interval]:
    """A paired difference of which 10 examples or more are due to be discordant either way."""
    n = int(10 ** generator.uniform(2.3, 3.3))
    first, second = generator.uniform(10 / n, 0.2, 2)
    return paired(first, second, n)(generator)


def ranked(m: int, n: int) -> Case:
    """DeLong's interval of the area under a ROC curve: normal scores 0 to 2 deviations apart."""

    def simulate(generator: Generator) -> tuple[float, Interval]:
        apart = generator.uniform(0, 2)
        found = auc(generator.normal(0, 1, m), generator.normal(apart, 1, n))
        return float(stats.norm.cdf(apart / np.sqrt(2))), (found.low, found.high)

    return simulate


def variance(p: float, q: float, n: int, m: int) -> Case:
    """Train-dev error less the observed train error: the truth moves with the training set."""

    def simulate(generator: Generator) -> tuple[float, Interval]:
        observed = generator.binomial(n, p) / n
        low, high = np.quantile(jeffreys(generator.binomial(m, q), m, DRAWS, generator), _ENDS)
        return q - observed, (low - observed, high - observed)

    return simulate


def paired(first: float, second: float, n: int) -> Case:
    """Tango's interval of a paired difference."""

    def simulate(generator: Generator) -> tuple[float, Interval]:
        b, c, _ = generator.multinomial(n, [first, second, 1 - first - second])
        interval = tango(int(b), int(c), n)
        return first - second, (interval.low, interval.high)

    return simulate


def _groups(groups: int, size: int, generator: Generator) -> Clusters:
    """Groups whose own rates are Beta(2, 8): mean 20 %, correlation 1/11 inside a group."""
    totals = generator.binomial(size, generator.beta(2, 8, groups)).astype(float)
    return Clusters(totals, np.full(groups, float(size)), float(groups * size))


def grouped(groups: int, size: int) -> Case:
    """Wilson's interval on the design-effect sample size."""

    def simulate(generator: Generator) -> tuple[float, Interval]:
        interval = clustered(_groups(groups, size, generator))
        return 0.2, (interval.low, interval.high) if interval else (0.0, 1.0)

    return simulate


def grouped_draws(groups: int, size: int) -> Case:
    """The Bayesian bootstrap by group, as gaps use it."""

    def simulate(generator: Generator) -> tuple[float, Interval]:
        found = _groups(groups, size, generator)
        drawn = bootstrap(found.totals[:, None], found.weights, found.most, 1_000, generator)
        low, high = np.quantile(drawn, _ENDS)
        return 0.2, (low, high)

    return simulate


def cases() -> Iterator[tuple[str, Case]]:
    """Give every row: its name with the drawing law, and its simulation."""
    for n in (10, 30, 100, 400, 1000):
        yield f"Wilson, n = {n}, p ~ U(0, 1)", one_rate(n)
    for p, q, n, m in ((0.04, 0.22, 250, 400), (0.1, 0.12, 500, 500), (0.02, 0.02, 1000, 1000)):
        yield f"mismatch, {p} of {n}, {q} of {m}", mismatch(p, q, n, m)
    yield "mismatch, few errors: 0.005 of 200, 0.01 of 200", mismatch(0.005, 0.01, 200, 200)
    for p, q, n, m in ((0.01, 0.1, 900, 250), (0.05, 0.06, 10_000, 1000)):
        yield f"variance, {p} of {n}, {q} of {m}", variance(p, q, n, m)
    for first, second, n in ((0.06, 0.03, 300), (0.02, 0.02, 1000), (0.01, 0.002, 200)):
        yield f"Tango, discordant {first} and {second}, n = {n}", paired(first, second, n)
    law = "n ~ 100 to 2,000, ≥ 10 errors"
    yield f"mismatch, rates drawn, {law}", drawn(mismatch)
    yield f"variance, rates drawn, {law}", drawn(variance)
    yield "Tango, discordant shares drawn, ≥ 10 either way", drawn_pair
    for m, n in ((40, 60), (300, 300)):
        yield f"area under the curve, {m} and {n}, drawn", ranked(m, n)
    for groups, size in ((5, 20), (10, 20), (20, 20), (50, 10), (200, 5)):
        yield f"groups: {groups} of {size}, rates Beta(2, 8)", grouped(groups, size)
    for groups, size in ((10, 20), (20, 20), (50, 10)):
        yield f"bootstrap: {groups} groups of {size}", grouped_draws(groups, size)


def least_wilson(n: int) -> float:
    """Return the least coverage of Wilson's interval over p, summed exactly on a fine grid."""
    counts = np.arange(n + 1)
    intervals = [wilson(int(count), n) for count in counts]
    low = np.array([interval.low for interval in intervals])
    high = np.array([interval.high for interval in intervals])
    ends = np.concatenate([low, high])
    grid: NDArray[np.float64] = np.unique(np.clip([ends - 1e-9, ends + 1e-9], 1e-6, 1 - 1e-6))
    held = (low <= grid[:, None]) & (grid[:, None] <= high)
    return float((stats.binom.pmf(counts, n, grid[:, None]) * held).sum(axis=1).min())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Coverage of 95 % intervals by simulation")
    parser.add_argument("--simulations", type=int, default=20_000, help="simulations a row")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    n = options.simulations
    print(f"{n:,} simulations a row, seed {options.seed}; {DRAWS:,} posterior draws a gap")
    print(f"{'case':50} {'holds':>7} {'(95 % of that)':>16} {'too high':>9} {'too low':>8}")
    for number, (name, simulate) in enumerate(cases()):
        generator = np.random.default_rng([options.seed, number])
        results = [simulate(generator) for _ in range(n)]
        above = sum(low > truth for truth, (low, _) in results)
        below = sum(high < truth for truth, (_, high) in results)
        share = wilson(n - above - below, n)
        span = f"{100 * share.low:.2f} – {100 * share.high:.2f}"
        held = 100 * (n - above - below) / n
        print(f"{name:50} {held:6.2f}% {span:>16} {100 * above / n:8.2f}% {100 * below / n:7.2f}%")
    print("\nleast coverage of Wilson's interval over all p (exact):")
    for size in (10, 30, 100, 400):
        print(f"  n = {size:4}: {100 * least_wilson(size):.2f} %")


if __name__ == "__main__":
    main()
