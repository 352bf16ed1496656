"""Which labels are probably wrong: one number an example, from a network's scores."""

import numpy as np
from numpy.typing import NDArray


def suspicion(
    scores: NDArray[np.floating], given: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return how suspicious each label is, from 0 to 1, and the class to suggest instead.

    The normalised margin of confident learning (Northcutt, Jiang and Chuang 2021): the score of
    the best other class less that of the given one, moved from [−1, 1] to [0, 1]. Above one half
    the network would say another class. It ranks; it is no probability.

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
    margin = others[rows, suggested] - own
    return (margin + 1) / 2, suggested.astype(np.int64)
