"""Localization: is there an object, where, and of which class (notes 6.1)."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gapwise.errors import PipelineError
from gapwise.forms.base import UNKNOWN_CLASS
from gapwise.labels import Labels
from gapwise.tasks.base import Task, check_shape, widened
from gapwise.tasks.boxes import centres, corners, each, iou, matches

__all__ = ["Localize"]


class Localize(Task):
    """One object at most: outputs are p_c, b_x, b_y, b_h, b_w and a unit a class (notes 6.1).

    Targets are (n, 1, 5), see ``gapwise.forms.boxes``. Centre and size are learned as shares of the
    picture. Where there is no object, p_c alone counts.

    Args:
        loss: ``squared``, the notes' sum of squared differences of all units; ``logistic``,
            cross-entropy for p_c and for the class, and squared differences for the box.
        box: weight of the box in the loss: differences of places are shares of the picture, small
            beside those of classes.
        overlap: intersection over union from which a box is right.
        error: an example's error: ``wrong``, 1 where there is an object and none is said, or the
            other way, or its class is another, or its box is not right, else 0; ``distance``, of an
            object of the right class 1 less the intersection over union, else as ``wrong``.
    """

    kind = "boxes"

    def __init__(
        self,
        *,
        loss: Literal["squared", "logistic"] = "squared",
        box: float = 1.0,
        overlap: float = 0.5,
        error: Literal["wrong", "distance"] = "wrong",
    ) -> None:
        if not 0 < overlap <= 1:
            raise ValueError(f"overlap is {overlap:g}, not above 0 and at most 1")
        if not box >= 0:
            raise ValueError(f"box is {box:g}, not a number from 0")
        self._loss, self._overlap, self._error = loss, overlap, error
        self._box = box

    def fit(self, labels: Labels, targets: NDArray[Any]) -> dict[str, Any]:
        """Learn nothing, but refuse several objects on a picture.

        Raises:
            PipelineError: a picture of train holds more than one object.
        """
        super().fit(labels, targets)
        most = int((targets[..., 0] != UNKNOWN_CLASS).sum(1).max(initial=0))
        if most > 1 or targets.shape[1] > 1:
            raise PipelineError(
                f"task localize is for one object at most, but a picture of the data holds "
                f"{max(most, targets.shape[1])}; set task: detect"
            )
        return {}

    def use(self, labels: Labels, fitted: Mapping[str, Any]) -> None:
        """Take the classes and the size of the pictures."""
        super().use(labels, fitted)
        height, width = labels.extent
        self._size = torch.tensor([width, height, width, height], dtype=torch.float32)

    def outputs(self, labels: Labels) -> int:
        """Return 5 units and one a class."""
        return 5 + len(labels.classes[0])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each example, (n,): of p_c alone where there is no object."""
        check_shape(outputs, targets, (len(outputs), 1, 5), "outputs")
        made = widened(outputs)
        there = (targets[:, 0, 0] != UNKNOWN_CLASS).to(made.dtype)
        classes = targets[:, 0, 0].clamp(min=0).long()
        true = centres(targets[:, 0, 1:].to(made.dtype)) / self._size.to(made)
        box = (made[:, 1:5] - true[:, [0, 1, 3, 2]]).square().sum(1)
        if self._loss == "squared":
            wanted = F.one_hot(classes, made.shape[1] - 5)
            is_there = (made[:, 0] - there).square()
            of_class = (made[:, 5:] - wanted).square().sum(1)
        else:
            is_there = F.binary_cross_entropy_with_logits(made[:, 0], there, reduction="none")
            of_class = F.cross_entropy(made[:, 5:], classes, reduction="none")
        return is_there + there * (self._box * box + of_class)

    def predict(self, outputs: Tensor) -> Tensor:
        """Return (n, 1, 6): the class, the box in pixels and p_c as its score."""
        made = outputs.float()
        size = self._size.to(made.device)
        chance = made[:, 0] if self._loss == "squared" else torch.sigmoid(made[:, 0])
        box = corners(made[:, [1, 2, 4, 3]] * size).clamp(min=0).minimum(size)
        best = made[:, 5:].argmax(1, keepdim=True).float()
        return torch.cat([best, box, chance.clamp(0, 1)[:, None]], 1)[:, None]

    def scores(self, outputs: Tensor) -> None:
        """Return None: a box has one score, which stands beside it."""
        return

    def averaged(self, views: Tensor) -> Tensor:
        """Return the mean output: of p_c, the box and the classes."""
        return views.mean(0)

    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return the error that the option ``error`` names, (n,) in [0, 1]."""
        found = matches(predicted, targets, self._overlap)
        wrong = each([float(one.error > 0) for one in found], targets)
        if self._error == "wrong":
            return wrong
        near = iou(predicted[:, :, 1:5].float(), targets[:, :, 1:].float())[:, 0, 0]
        held = each([float(one.hits) for one in found], targets)
        return torch.where(held > 0, 1 - near, wrong).clamp(0, 1)

    def columns(self, predicted: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return ``overlap``: the intersection over union with the object, NaN where none is."""
        near = iou(predicted[:, :, 1:5].float(), targets[:, :, 1:].float())[:, 0, 0].double()
        near[targets[:, 0, 0] == UNKNOWN_CLASS] = np.nan
        return {"overlap": near}
