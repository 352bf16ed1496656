"""Which labels are probably wrong: one number an example, from networks' scores."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LEAST: Final = np.finfo(np.float32).tiny


SCORES: Final = ("odds", "confidence", "margin")
"""By what labels can be ranked; the first by default."""


def suspicion(
    scores: NDArray[np.floating], given: NDArray[np.integer], by: str = SCORES[0]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return how suspicious each label is, from 0 to 1, and the class to suggest instead.

    With g the score of the given label and b that of the best other class: ``odds`` is b / (b + g),
    above one half where the network would say another class; ``confidence`` is 1 − g; ``margin`` is
    (b − g + 1) / 2. They rank; none is a probability. Confidence finds labels that are wrong in
    many ways, the margin those that take a class for one other, the odds nearly as many of both;
    measured in ``benchmarks/suspects.py`` beside confident learning (Northcutt, Jiang and Chuang
    2021).

    Args:
        scores: (n, k) scores of every class, k ≥ 2, rows that sum to 1.
        given: (n,) positions of the labels in 0 … k − 1.
        by: one of ``SCORES``.

    Raises:
        ValueError: fewer than two classes, a label outside of them, or no such score.
    """
    n, k = scores.shape
    if k < 2:
        raise ValueError(f"scores of {k} class leave nothing to suspect")
    if n and not (int(given.min()) >= 0 and int(given.max()) < k):
        raise ValueError(f"labels lie outside 0 … {k - 1}")
    if by not in SCORES:
        raise ValueError(f"no score is called {by!r}")
    others = np.array(scores, np.float32)
    rows = np.arange(n)
    own = np.maximum(others[rows, given], 0)
    others[rows, given] = -np.inf
    suggested = others.argmax(axis=1)
    best = np.maximum(others[rows, suggested], 0)
    if by == "confidence":
        doubt = np.clip(1 - own, 0, 1)
    elif by == "margin":
        doubt = np.clip((best - own + 1) / 2, 0, 1)
    else:
        doubt = best / np.maximum(best + own, _LEAST)
    return doubt.astype(np.float32), suggested.astype(np.int64)


def together(scores: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    """Return the mean (n, k) of several runs' scores, each (n, k).

    Networks that err on different examples correct each other.
    """
    total = np.zeros(scores[0].shape, np.float32)
    for one in scores:
        total += np.asarray(one, np.float32)
    return np.asarray(total / len(scores), np.float32)
