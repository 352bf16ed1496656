"""Decay by the epoch's number (notes 3.13)."""

from gapwise.training.schedules.base import checked, epoch

__all__ = ["InverseTime"]


class InverseTime:
    """α = α₀ / (1 + decay·epoch), epochs from 1.

    α₀ = 0.2 and a decay of 1 give 0.1, 0.067, 0.05 and 0.04 in epochs 1 to 4.

    Args:
        decay: the decay rate.
    """

    def __init__(self, *, decay: float = 1.0) -> None:
        self.decay = checked("decay", decay)

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor of the epoch in which ``step`` (from 0) lies."""
        return 1 / (1 + self.decay * epoch(step, steps_per_epoch))
