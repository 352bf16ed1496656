"""Exponentially weighted averages with bias correction (notes 3.9)."""

from collections.abc import Sequence

import torch
from torch import Tensor


class ExponentialAverage:
    """The average of what was added, each value weighing β times the one that came after it.

    The notes keep V ← βV + (1 − β)θ from V = 0, and use V/(1 − βᵗ) after t values. Kept here is the
    corrected average c itself: c ← c + w(θ − c) with w = (1 − β)/(1 − βᵗ). Both are the same
    number, but c is ready for use, and the average of equal values is that value to the bit. It
    covers about the last 1/(1 − β) values: the weight of one as old as that is 1/e of the newest's.

    Attributes:
        values: the averages, one a series.
        beta: β, in [0, 1).
        count: t, how many times values were added.
    """

    def __init__(self, values: Sequence[Tensor], beta: float) -> None:
        """Average into ``values``, whose content does not count and is overwritten.

        Raises:
            ValueError: β is not in [0, 1).
        """
        if not 0 <= beta < 1:
            raise ValueError(f"beta is {beta}, but must be at least 0 and less than 1")
        self.values = list(values)
        self.beta = beta
        self.count = 0

    @torch.no_grad()
    def add(self, values: Sequence[Tensor]) -> None:
        """Add one value to each series, in place and without waiting for the device."""
        self.count += 1
        weight = (1 - self.beta) / (1 - self.beta**self.count)
        torch._foreach_lerp_(self.values, list(values), weight)
