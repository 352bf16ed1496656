"""Classification into one of k classes (notes 3.17)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from gapwise.tasks.base import Task, widened

__all__ = ["Classify"]


class Classify(Task):
    """Softmax with cross-entropy; an example's error is 1 where the likeliest class is not its own.

    Targets are (n,) int64 positions in the classes.
    """

    def outputs(self, classes: Sequence[str]) -> int:
        """Return one unit a class."""
        return len(classes)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return −log of the softmax at the target, (n,) in nats."""
        return F.cross_entropy(widened(outputs), targets, reduction="none")

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the position of the highest output, (n,) int64; the first among equals."""
        return outputs.argmax(1)

    def scores(self, outputs: Tensor) -> Tensor:
        """Return the softmax, (n, classes)."""
        return torch.softmax(outputs.float(), 1)

    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return 1 where the prediction is wrong, else 0."""
        return (predicted != targets).float()
