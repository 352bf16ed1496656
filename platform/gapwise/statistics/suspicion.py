"""Which labels are probably wrong: one number an example, from networks' scores."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LEAST: Final = np.finfo(np.float32).tiny


def suspicion(
    scores: NDArray[np.floating], given: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return how suspicious each label is, from 0 to 1, and the class to suggest instead.

    The odds of the best other class against the given one, b / (b + g): above one half the network
    would say another class. It ranks as the label's own score does where a network is torn between
    many classes, and as the margin of the two best does where it is torn between two; measured in
    ``benchmarks/suspects.py`` against both and confident learning (Northcutt, Jiang and Chuang
    2021). It is no probability.

    Args:
        scores: (n, k) scores of every class, k ≥ 2, rows that sum to 1.
        given: (n,) positions of the labels in 0 … k − 1.

    Raises:
        ValueError: fewer than two classes, or a label outside of them.
    """
    n, k = scores.shape
    if k < 2:
        raise ValueError(f"scores of {k} class leave nothing to suspect")
    if n and not (int(given.min()) >= 0 and int(given.max()) < k):
        raise ValueError(f"labels lie outside 0 … {k - 1}")
    others = np.array(scores, np.float32)
    rows = np.arange(n)
    own = others[rows, given].copy()
    others[rows, given] = -np.inf
    suggested = others.argmax(axis=1)
    best = np.maximum(others[rows, suggested], 0)
    odds = best / np.maximum(best + np.maximum(own, 0), _LEAST)
    return odds.astype(np.float32), suggested.astype(np.int64)


def together(scores: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    """Return the mean (n, k) of several runs' scores, each (n, k).

    Networks that err on different examples correct each other.
    """
    total = np.zeros(scores[0].shape, np.float32)
    for one in scores:
        total += np.asarray(one, np.float32)
    return np.asarray(total / len(scores), np.float32)
