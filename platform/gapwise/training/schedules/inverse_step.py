"""Decay as 1/t (notes 3.13)."""

from gapwise.training.schedules.base import checked

__all__ = ["InverseStep"]


class InverseStep:
    """α = k/t · α₀, where t counts the steps from 1.

    Args:
        k: the constant: the first step's rate in units of α₀.
    """

    def __init__(self, *, k: float = 1.0) -> None:
        self.k = checked("k", k)

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor at ``step`` (from 0)."""
        return self.k / (step + 1)
