"""Decay as 1/epoch (notes 3.13)."""

from gapwise.training.schedules.base import checked, epoch

__all__ = ["InverseEpoch"]


class InverseEpoch:
    """α = k/epoch · α₀, epochs from 1.

    Args:
        k: the constant: the first epoch's rate in units of α₀.
    """

    def __init__(self, *, k: float = 1.0) -> None:
        self.k = checked("k", k)

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor of the epoch in which ``step`` (from 0) lies."""
        return self.k / epoch(step, steps_per_epoch)
