"""The order of an epoch, cut into batches: a function of (seed, epoch)."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gapwise.training.draws import key, shuffled

Positions = NDArray[np.int64]


def epoch_batches(train: Positions, batch_size: int, seed: int, epoch: int) -> list[Positions]:
    """Return the batches of an epoch: every position of ``train`` once, in a new order."""
    return cut(shuffled(train, key("order", seed, epoch)), batch_size)


def cut(positions: Positions, batch_size: int) -> list[Positions]:
    """Cut ``positions`` into batches; one left over joins the last, as batch norm needs two."""
    starts = list(range(0, len(positions), batch_size))
    if len(starts) > 1 and len(positions) - starts[-1] == 1:
        del starts[-1]
    return [positions[a:b] for a, b in pairwise([*starts, len(positions)])]
