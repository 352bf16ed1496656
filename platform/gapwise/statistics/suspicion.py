"""Which labels are probably wrong: one number an example, from a network's scores."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS: Final = 20
_CHUNK: Final = 1024


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


def together(
    scores: Sequence[NDArray[np.floating]], shares: Sequence[NDArray[np.floating]] = ()
) -> NDArray[np.float32]:
    """Return one matrix of scores (n, k) from those of several runs and of neighbours.

    Each counts alike: networks that err on different examples correct each other, and neighbours in
    feature space tell what a network's own last layer has already forgotten.

    Args:
        scores: of each run, (n, k).
        shares: of each run, what share of the neighbours bears each label, (n, k).
    """
    every = [*scores, *shares]
    total = np.zeros(every[0].shape, np.float32)
    for one in every:
        total += np.asarray(one, np.float32)
    return np.asarray(total / len(every), np.float32)


def label_shares(
    features: NDArray[np.floating],
    known: NDArray[np.floating],
    given: NDArray[np.integer],
    classes: int,
    neighbours: int = NEIGHBOURS,
    *,
    itself: bool = False,
) -> NDArray[np.float32]:
    """Return what share of each example's nearest neighbours bears each label: (n, classes).

    Nearest by the cosine of features, weighted by it. Neighbours vote where a network's scores are
    too sure of themselves (Zhu, Dong and Liu 2022).

    Args:
        features: (n, d) of the examples.
        known: (m, d) of those that may be neighbours.
        given: (m,) their labels, positions in 0 … classes − 1.
        classes: how many classes.
        neighbours: how many vote.
        itself: whether each example is among those known, and so its own nearest, which is no vote.
    """
    unit, others = (_unit(each) for each in (features, known))
    shares = np.zeros((len(unit), classes), np.float32)
    k = min(neighbours + itself, len(others))
    for start in range(0, len(unit), _CHUNK):
        near = unit[start : start + _CHUNK] @ others.T
        best = np.argpartition(-near, k - 1, axis=1)[:, :k]
        rows = np.repeat(np.arange(len(near)), k)
        close = np.maximum(np.take_along_axis(near, best, axis=1), 0)
        if itself:
            close[np.arange(len(close)), close.argmax(axis=1)] = 0
        weight = close.ravel()
        np.add.at(shares[start : start + _CHUNK], (rows, given[best].ravel()), weight)
    sums = shares.sum(axis=1, keepdims=True)
    shares[sums[:, 0] <= 0] = 1 / classes
    return np.asarray(shares / np.where(sums > 0, sums, 1), np.float32)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
