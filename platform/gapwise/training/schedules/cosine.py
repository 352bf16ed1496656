"""Cosine decay (Loshchilov and Hutter 2017, without restarts)."""

from math import cos, pi

__all__ = ["Cosine"]


class Cosine:
    """Half a cosine from the optimizer's learning rate down to ``floor`` of it.

    Args:
        warmup: share of the steps that rise in a straight line from 0 first.
        floor: the last factor.
    """

    def __init__(self, *, warmup: float = 0.0, floor: float = 0.0) -> None:
        self.warmup = warmup
        self.floor = floor

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor at ``step`` (from 0) of ``steps``."""
        rise = self.warmup * steps
        if step < rise:
            return (step + 1) / (rise + 1)
        done = (step - rise) / max(1.0, steps - 1 - rise)
        return self.floor + (1 - self.floor) * (1 + cos(pi * min(1.0, done))) / 2
