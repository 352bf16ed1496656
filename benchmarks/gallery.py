"""The nearest of many encodings: all compared, against an index of FAISS.

    python benchmarks/gallery.py [--repeats N] [--sizes N…]

Encodings of 128 numbers, clustered as those of people are (ten pictures each); each is asked for
the five nearest of a noisy copy. The table gives the seconds that the index takes to build, median
and range of a question, and how many of the five are those of all compared.
"""

import argparse
import time
from statistics import median

import numpy as np
from numpy.typing import NDArray

from gapwise.workflows.nearest import Nearest

SIZE, EACH, K = 128, 10, 5
SPREAD = 0.03
"""Of a person's pictures around the person, and of a question around a picture."""


def encodings(count: int) -> NDArray[np.float32]:
    """Return ``count`` encodings of length 1, ten of each person: (count, 128)."""
    random = np.random.default_rng(0)
    people = random.normal(size=(count // EACH, SIZE)).astype(np.float32)
    people /= np.linalg.norm(people, axis=1, keepdims=True)
    around = SPREAD * random.normal(size=(count, SIZE)).astype(np.float32)
    return unit(np.repeat(people, EACH, axis=0) + around)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows of length 1."""
    scaled: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 200_000, 500_000])
    options = parser.parse_args()
    random = np.random.default_rng(1)
    for count in options.sizes:
        known = encodings(count)
        asked = unit(
            known[random.integers(0, count, options.repeats)]
            + SPREAD * random.normal(size=(options.repeats, SIZE)).astype(np.float32)
        )
        truth: list[set[int]] = []
        for large in (count + 1, 1):
            began = time.perf_counter()
            index = Nearest(known, large=large)
            built = time.perf_counter() - began
            times, hits = [], 0
            for row, question in enumerate(asked):
                began = time.perf_counter()
                places, _ = index.of(question, K)
                times.append(1000 * (time.perf_counter() - began))
                if index.is_exact:
                    truth.append(set(places.tolist()))
                hits += len(truth[row] & set(places.tolist()))
            name = "all compared" if index.is_exact else "FAISS"
            print(
                f"{count:>8,} {name:<13} built in {built:6.1f} s, {median(times):7.2f} ms "
                f"({min(times):.2f}–{max(times):.2f}), {hits / (K * len(asked)):.1%} found"
            )


if __name__ == "__main__":
    main()
