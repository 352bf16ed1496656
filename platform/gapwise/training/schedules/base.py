"""The family of learning-rate schedules (notes 3.13).

A member is a class made with its options as keyword-only parameters; it gives the factor by which
the optimizer's ``lr``, the notes' α₀, is scaled at each step.

The notes count epochs from 1, and their table begins with the rate of epoch 1: 1/(1 + decay·epoch)
halves α₀ in the very first epoch. So it is here: ``epoch`` is what the formulas mean by it.
"""

from typing import Protocol

from gapwise.registry import Family


class Schedule(Protocol):
    """A learning rate as a function of the place in training."""

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor at ``step`` (from 0) of ``steps`` in all."""


SCHEDULES: Family[type[Schedule]] = Family("gapwise.schedules", "schedule")


def epoch(step: int, steps_per_epoch: int) -> int:
    """Return the epoch (from 1) of ``step`` (from 0)."""
    return step // steps_per_epoch + 1


def checked(name: str, value: float, *, most: float = float("inf")) -> float:
    """Return ``value``.

    Raises:
        ValueError: it is below 0 or above ``most``.
    """
    if not 0 <= value <= most:
        bounds = "at least 0" if most == float("inf") else f"in [0, {most:g}]"
        raise ValueError(f"{name} is {value:g}, but must be {bounds}")
    return value
