"""The steps that a training asks for: whoever takes them may take those of several at once."""

from collections.abc import Generator
from typing import NamedTuple

from torch import Tensor

from gapwise.training.feeds import Batch


class Wanted(NamedTuple):
    """A step that a training asks for.

    Attributes:
        batch: what it is taken on, augmented.
        factor: of the optimizer's rate.
        examples: how many all processes train on.
        seed: of torch's generators, which stand at it now.
    """

    batch: Batch
    factor: float
    examples: int
    seed: int


Steps = Generator[Wanted, tuple[Tensor, Tensor] | None, None]
"""Asks for one step after the other; is sent the batch's mean loss and error before each."""


def advance(steps: Steps, taken: tuple[Tensor, Tensor] | None = None) -> Wanted | None:
    """Give what came of the last step; return the next that is wanted, None at the end.

    Raises:
        StoppedError, TrainingError, StorageError: as ``gapwise.training.loop.Loop.run``.
    """
    try:
        return steps.send(taken)
    except StopIteration:
        return None
