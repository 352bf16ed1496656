"""Semantic segmentation: a class for every pixel (notes 6.11)."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from gapwise.errors import DataError
from gapwise.forms.mask import UNKNOWN_PIXEL
from gapwise.labels import Labels
from gapwise.tasks._averages import averaged_softmax
from gapwise.tasks.base import Task, widened

__all__ = ["Segment"]


class Segment(Task):
    """A softmax over the classes at every pixel; pixels whose class is unknown count nowhere.

    Targets are (n, height, width), see ``gapwise.forms.mask``; outputs (n, classes, h, w), where a
    network that does not pad gives fewer rows and columns: then the middle of the mask is what is
    learned and judged, and the rest of a prediction is unknown.

    Args:
        dice: weight of the soft Dice loss, which training adds to the cross-entropy: it counts each
            class of a picture alike, however few its pixels (Milletari et al., 2016, V-Net).
        error: an example's error: ``pixels``, the share of its known pixels that are wrong;
            ``overlap``, 1 less the mean intersection over union of the classes that it shows.
    """

    kind = "mask"
    wants = "pixels"

    def __init__(
        self, *, dice: float = 0.0, error: Literal["pixels", "overlap"] = "pixels"
    ) -> None:
        if not dice >= 0:
            raise ValueError(f"dice is {dice:g}, not a number from 0")
        self._dice, self._error = dice, error

    def outputs(self, labels: Labels) -> int:
        """Return one unit a class, at each pixel."""
        return len(labels.classes[0])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of the known pixels, (n,) in nats."""
        true = _middle(outputs, targets)
        losses = F.cross_entropy(
            widened(outputs), true, reduction="none", ignore_index=UNKNOWN_PIXEL
        )
        return losses.flatten(1).sum(1) / (true != UNKNOWN_PIXEL).flatten(1).sum(1).clamp(min=1)

    def training_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy and the weighted soft Dice loss, (n,)."""
        loss = self.loss(outputs, targets)
        return loss + self._dice * self._soft_dice(outputs, targets) if self._dice else loss

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the likeliest class of each pixel, (n, height, width) uint8."""
        best = outputs.argmax(1).to(torch.uint8)
        height, width = self.labels.extent
        down, right = height - best.shape[1], width - best.shape[2]
        edges = (right // 2, right - right // 2, down // 2, down - down // 2)
        return F.pad(best, edges, value=UNKNOWN_PIXEL) if any(edges) else best

    def scores(self, outputs: Tensor) -> None:
        """Return None: a mask has no scores in the predictions table."""
        return

    def averaged(self, views: Tensor) -> Tensor:
        """Return the logarithm of the mean softmax of each pixel."""
        return averaged_softmax(views)

    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return the error that the option ``error`` names, (n,) in [0, 1]."""
        known = _known(predicted, targets)
        if self._error == "pixels":
            wrong = known & (predicted != targets)
            return wrong.flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)
        overlaps = torch.stack([iou for iou, _ in self._overlaps(predicted, targets)], 1)
        return (1 - overlaps.nanmean(1)).nan_to_num(0).clamp(0, 1)

    def columns(self, predicted: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return ``iou_<class>`` and ``dice_<class>``, NaN where neither mask shows the class."""
        found: dict[str, Tensor] = {}
        names = self.labels.classes[0]
        for name, (iou, dice) in zip(names, self._overlaps(predicted, targets), strict=True):
            found |= {f"iou_{name}": iou.double(), f"dice_{name}": dice.double()}
        return found

    def _overlaps(self, predicted: Tensor, targets: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return intersection over union and Dice of each class, each (n,)."""
        known = _known(predicted, targets)
        found = []
        for code in range(len(self.labels.classes[0])):
            said, true = known & (predicted == code), known & (targets == code)
            both = (said & true).flatten(1).sum(1).float()
            total = said.flatten(1).sum(1) + true.flatten(1).sum(1)
            # 0 / 0 is NaN: neither shows the class.
            found.append((both / (total - both), 2 * both / total))
        return found

    def _soft_dice(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return 1 less the mean Dice of the classes that the mask shows, with chances for said."""
        true = _middle(outputs, targets)
        known = (true != UNKNOWN_PIXEL)[:, None]
        chances = torch.softmax(widened(outputs), 1) * known
        wanted = F.one_hot(torch.where(true == UNKNOWN_PIXEL, 0, true), outputs.shape[1])
        wanted = wanted.permute(0, 3, 1, 2) * known
        both = (chances * wanted).flatten(2).sum(2)
        total = chances.flatten(2).sum(2) + wanted.flatten(2).sum(2)
        shown = (wanted.flatten(2).sum(2) > 0).to(both.dtype)
        dice = 2 * both / total.clamp(min=1e-6)
        return 1 - (dice * shown).sum(1) / shown.sum(1).clamp(min=1)


def _middle(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the part of the masks that the outputs are of, (n, h, w) int64.

    Raises:
        DataError: the masks are not as many, or smaller than the outputs; names both shapes.
    """
    fits = outputs.ndim == 4 and targets.ndim == 3 and len(outputs) == len(targets)
    down, right = (a - b for a, b in zip(targets.shape[-2:], outputs.shape[-2:], strict=True))
    if not fits or down < 0 or right < 0:
        raise DataError(
            f"targets have the shape {tuple(targets.shape)} and outputs {tuple(outputs.shape)}; "
            "give a mask for each picture, as large as the outputs at least"
        )
    top, left = down // 2, right // 2
    height, width = outputs.shape[-2:]
    return targets[:, top : top + height, left : left + width].long()


def _known(predicted: Tensor, targets: Tensor) -> Tensor:
    if predicted.shape != targets.shape or predicted.ndim != 3:
        raise DataError(
            f"targets have the shape {tuple(targets.shape)} and predictions "
            f"{tuple(predicted.shape)}; give masks of one shape"
        )
    return (targets != UNKNOWN_PIXEL) & (predicted != UNKNOWN_PIXEL)
