"""Several labels that are each true or not: an independent sigmoid for each (notes 4.17)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from gapwise.errors import PipelineError, shown
from gapwise.labels import Labels
from gapwise.tasks._averages import averaged_sigmoid
from gapwise.tasks._several import Several, sizes
from gapwise.tasks.base import widened

__all__ = ["MultiLabel"]


class MultiLabel(Several):
    """A sigmoid for each of several yes-or-no labels; several of them may be true at once.

    Each label has two classes, of which the second is the true one. The loss is the sum of the
    known labels' binary cross-entropies, and an example's error the share of its known labels that
    are wrong.
    """

    def check(self, labels: Labels) -> None:
        """Refuse labels that have not two classes each."""
        super().check(labels)
        for name, count in zip(labels.names, sizes(labels), strict=True):
            if count != 2:
                raise PipelineError(
                    f"task multi-label wants two classes a label, but {shown(name)} has {count}; "
                    "set task: multi-task"
                )

    def outputs(self, labels: Labels) -> int:
        """Return one unit a label."""
        return len(labels.names)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum of the known labels' binary cross-entropies, (n,) in nats."""
        self.check_targets(outputs, targets)
        made = widened(outputs)
        known = targets >= 0
        wanted = (targets == 1).to(made.dtype)
        losses = F.binary_cross_entropy_with_logits(made, wanted, reduction="none")
        return torch.where(known, losses, 0).sum(1)

    def predict(self, outputs: Tensor) -> Tensor:
        """Return 1 where a label is likelier true than not, (n, labels) int64."""
        return (outputs > 0).long()

    def scores(self, outputs: Tensor) -> Tensor:
        """Return the probability that each label is true, (n, labels)."""
        return torch.sigmoid(outputs.float())

    def averaged(self, views: Tensor) -> Tensor:
        """Return the log-odds of the mean probability of each label, (n, labels)."""
        return averaged_sigmoid(views)
