"""What the tasks of several labels share: unknown labels count nowhere (notes 4.17)."""

import torch
from torch import Tensor

from gapwise.labels import Labels
from gapwise.tasks.base import Task, check_shape


class Several(Task):
    """Several labels an example; its error is the share of its known labels that are wrong.

    Targets are (n, k) int64, -1 where a label is unknown. The errors of each label stand beside it
    in the predictions table as ``error_<label>``, empty where the label is unknown.
    """

    kind = "several"

    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return the share of known labels that are wrong; 0 where none is known."""
        check_shape(predicted, targets, predicted.shape, "predictions")
        known = targets >= 0
        wrong = known & (predicted != targets)
        return wrong.sum(1) / known.sum(1).clamp(min=1)

    def columns(self, predicted: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return ``error_<label>``: 1 where that label is wrong, NaN where it is unknown."""
        wrong = (predicted != targets).double()
        wrong[targets < 0] = torch.nan
        return {f"error_{name}": wrong[:, i] for i, name in enumerate(self.labels.names)}

    def check_targets(self, outputs: Tensor, targets: Tensor) -> None:
        """Refuse targets that are not one column a label."""
        wanted = (len(outputs), len(self.labels.names))
        check_shape(outputs, targets, wanted, "outputs")


def sizes(labels: Labels) -> list[int]:
    """Return how many classes each label has."""
    return [len(classes) for classes in labels.classes]
