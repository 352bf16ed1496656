"""The family of learning-rate schedules.

A member is a class made with its options as keyword-only parameters; it gives the factor by which
the optimizer's ``lr`` is scaled at each step.
"""

from typing import Protocol

from gapwise.registry import Family


class Schedule(Protocol):
    """A learning rate as a function of the place in training."""

    def factor(self, step: int, steps: int) -> float:
        """Return the factor at ``step`` (from 0) of ``steps`` in all."""


SCHEDULES: Family[type[Schedule]] = Family("gapwise.schedules", "schedule")
