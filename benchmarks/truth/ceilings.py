"""Ceilings of systems whose truth is known: how often the step to work on first is the right one.

    python -m benchmarks.truth.ceilings [--simulations 4000] [--seed 0]

Each example's end error is drawn: saved by a perfect step 1, by perfect steps 1 and 2, …, or never
wrong. Right names the step with the truly largest gain; where two gain the same, any name is wrong.
"""

import argparse
from collections import Counter
from collections.abc import Sequence

import numpy as np

from gapwise.diagnostics.ceiling import ceiling
from gapwise.diagnostics.steps import Ceiling, System
from gapwise.statistics.intervals import wilson

Generator = np.random.Generator
CASES: dict[str, tuple[int, tuple[float, ...]]] = {
    "two steps alike, 5 and 5 points": (600, (0.05, 0.05)),
    "two steps alike, 1 and 1 points": (300, (0.01, 0.01)),
    "two steps, 8 and 3 points": (600, (0.08, 0.03)),
    "two steps, 4 and 3 points": (600, (0.04, 0.03)),
    "three steps alike, 4 points each": (600, (0.04, 0.04, 0.04)),
    "five steps, 9 points and 2 each": (1000, (0.09, 0.02, 0.02, 0.02, 0.02)),
}
"""What is drawn: examples, and the share of them that each step in its turn would save."""


def draw(gains: Sequence[float], n: int, generator: Generator) -> System:
    """Return a system whose steps truly gain ``gains``, each on top of those before it."""
    names = tuple(f"step {place}" for place in range(1, len(gains) + 1))
    saved_by = generator.choice(len(gains) + 1, n, p=[*gains, 1 - sum(gains)])
    left = {names[:k]: np.asarray((saved_by >= k) & (saved_by < len(gains)), np.float64)
            for k in range(1, len(gains))}  # fmt: skip
    return System(steps=names, error=np.asarray(saved_by < len(gains), np.float64), perfect=left)


def judged(found: Ceiling, gains: Sequence[float]) -> str:
    """Return whether the advice was right, undecided or wrong."""
    if not found.decided:
        return "undecided"
    largest = [f"step {k}" for k, gain in enumerate(gains, 1) if gain == max(gains)]
    return "right" if [found.first] == largest else "wrong"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Ceilings of systems of known truth")
    parser.add_argument("--simulations", type=int, default=4000, help="systems a case")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{options.simulations:,} systems a case, seed {options.seed}; gains with 95 % intervals")
    print(f"{'case':34} {'n':>5} {'right':>7} {'undecided':>10} {'wrong':>6}  (95 %)  gain covered")
    for name, (n, gains) in CASES.items():
        generator = np.random.default_rng([options.seed, *name.encode()])
        counts: Counter[str] = Counter()
        covered = 0
        for _ in range(options.simulations):
            found = ceiling(draw(gains, n, generator))
            counts[judged(found, gains)] += 1
            first = found.gains[0]
            covered += (first.low or 0.0) <= gains[0] <= (first.high or 0.0)
        share = {key: 100 * counts[key] / options.simulations for key in ("right", "undecided")}
        wrong = wilson(counts["wrong"], options.simulations)
        print(
            f"{name:34} {n:5} {share['right']:6.1f}% {share['undecided']:9.1f}% "
            f"{100 * counts['wrong'] / options.simulations:5.1f}%  "
            f"({100 * wrong.low:.1f} – {100 * wrong.high:.1f})  "
            f"{100 * covered / options.simulations:.1f}%"
        )


if __name__ == "__main__":
    main()
