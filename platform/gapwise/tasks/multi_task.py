"""Multi-task learning: one network, a softmax head for each label (notes 4.17)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from gapwise.labels import UNKNOWN, Labels
from gapwise.tasks._averages import averaged_softmax
from gapwise.tasks._several import Several, sizes
from gapwise.tasks.base import widened

__all__ = ["MultiTask"]


class MultiTask(Several):
    """A softmax for each of several labels; the loss is the sum over the labels that are known.

    The network shares all its layers but the last between the tasks. An example's error is the
    share of its known labels that are wrong.
    """

    def outputs(self, labels: Labels) -> int:
        """Return one unit a class of each label."""
        return sum(sizes(labels))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum of the known labels' cross-entropies, (n,) in nats."""
        self.check_targets(outputs, targets)
        heads = self._heads(widened(outputs))
        losses = [
            F.cross_entropy(head, targets[:, i], reduction="none", ignore_index=UNKNOWN)
            for i, head in enumerate(heads)
        ]
        return torch.stack(losses, 1).sum(1)

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the likeliest class of each label, (n, labels) int64."""
        return torch.stack([head.argmax(1) for head in self._heads(outputs)], 1)

    def scores(self, outputs: Tensor) -> Tensor:
        """Return the softmax of each head, side by side: (n, all classes)."""
        heads = self._heads(outputs.float())
        return torch.cat([torch.softmax(head, 1) for head in heads], 1)

    def averaged(self, views: Tensor) -> Tensor:
        """Return the logarithm of the mean softmax of each head, (n, all classes)."""
        heads = torch.split(views, sizes(self.labels), 2)
        return torch.cat([averaged_softmax(head) for head in heads], 1)

    def _heads(self, outputs: Tensor) -> tuple[Tensor, ...]:
        return torch.split(outputs, sizes(self.labels), 1)
