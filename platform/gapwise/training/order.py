"""The order of an epoch, cut into batches: a function of (seed, epoch)."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gapwise.training.draws import key, shuffled
from gapwise.training.recipe import BatchSize

Positions = NDArray[np.int64]


def epoch_batches(
    train: Positions, batch_size: BatchSize, seed: int, epoch: int
) -> list[Positions]:
    """Return the batches of an epoch: every position of ``train`` once, in a new order."""
    return cut(shuffled(train, key("order", seed, epoch)), batch_size)


def cut(positions: Positions, batch_size: BatchSize) -> list[Positions]:
    """Cut ``positions`` into batches (notes 3.8): "all" is one, and 1 is stochastic descent.

    One left over joins the last, as batch norm needs two.
    """
    size = max(1, len(positions)) if batch_size == "all" else batch_size
    starts = list(range(0, len(positions), size))
    if size > 1 and len(starts) > 1 and len(positions) - starts[-1] == 1:
        del starts[-1]
    return [positions[a:b] for a, b in pairwise([*starts, len(positions)])]
