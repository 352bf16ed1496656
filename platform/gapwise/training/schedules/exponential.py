"""Exponential decay (notes 3.13)."""

from gapwise.training.schedules.base import checked, epoch

__all__ = ["Exponential"]


class Exponential:
    """α = base^epoch · α₀, epochs from 1.

    Args:
        base: what each epoch multiplies the rate by.
    """

    def __init__(self, *, base: float = 0.95) -> None:
        self.base = checked("base", base, most=1.0)

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor of the epoch in which ``step`` (from 0) lies."""
        return self.base ** epoch(step, steps_per_epoch)
