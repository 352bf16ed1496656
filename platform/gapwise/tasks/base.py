"""The family of tasks: what a network is trained for, and what counts as an error."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from gapwise.registry import Family


class Task(ABC):
    """Loss, prediction and per-example error; n stands for the examples of a batch.

    A task is made with its options as keyword-only parameters.
    """

    @abstractmethod
    def outputs(self, classes: Sequence[str]) -> int:
        """Return how many output units a network needs."""

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each example, (n,) as ``widened(outputs)``, outputs: (n, units)."""

    @abstractmethod
    def predict(self, outputs: Tensor) -> Tensor:
        """Return what is predicted, of the form of ``targets``."""

    @abstractmethod
    def scores(self, outputs: Tensor) -> Tensor:
        """Return (n, classes) float32 scores in the order of the classes."""

    @abstractmethod
    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return the error of each example, (n,) float32 in [0, 1]."""


TASKS: Family[type[Task]] = Family("gapwise.tasks", "task")


def widened(outputs: Tensor) -> Tensor:
    """Return ``outputs`` in float32 at least: bf16 is too coarse for a loss; float64 stays so."""
    return outputs if outputs.dtype == torch.float64 else outputs.float()
