"""Decay at a fixed interval (notes 3.13, fixed-interval scheduling)."""

from gapwise.training.schedules.base import checked, epoch

__all__ = ["Staircase"]


class Staircase:
    """α = α₀ / (1 + decay·⌊epoch/interval⌋), epochs from 1: it drops every ``interval`` epochs.

    As in the notes' listing, the rate is set anew in the epochs that ``interval`` divides and stays
    in between; before the first of them it is α₀.

    Args:
        decay: the decay rate.
        interval: epochs from drop to drop.
    """

    def __init__(self, *, decay: float = 1.0, interval: int = 10) -> None:
        if interval < 1:
            raise ValueError(f"interval is {interval}, but must be at least 1")
        self.decay = checked("decay", decay)
        self.interval = interval

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor of the epoch in which ``step`` (from 0) lies."""
        return 1 / (1 + self.decay * (epoch(step, steps_per_epoch) // self.interval))
