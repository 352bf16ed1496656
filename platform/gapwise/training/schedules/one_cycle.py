"""The one-cycle schedule (Smith and Topin 2018)."""

from math import cos, pi

__all__ = ["OneCycle"]


class OneCycle:
    """Up to the optimizer's learning rate and down to almost nothing, both by half a cosine.

    Args:
        warmup: share of the steps that rise.
        start: first factor.
        end: last factor.
    """

    def __init__(self, *, warmup: float = 0.3, start: float = 0.04, end: float = 4e-6) -> None:
        self.warmup = warmup
        self.start = start
        self.end = end

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor at ``step`` (from 0) of ``steps``."""
        top = max(0.0, self.warmup * steps - 1)
        if step < top:
            return _between(self.start, 1.0, step / top)
        return _between(1.0, self.end, min(1.0, (step - top) / max(1.0, steps - 1 - top)))


def _between(first: float, last: float, done: float) -> float:
    return last + (first - last) * (1 + cos(pi * done)) / 2
