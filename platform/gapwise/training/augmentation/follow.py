"""Targets that lie on a picture, moved as the picture's pixels were (notes 5.17).

What an example draws is a function of (seed, epoch, example), so the same change is simply drawn
again: pictures and targets need not be changed in one place.
"""

import torch
from torch import Tensor

from gapwise.errors import PipelineError
from gapwise.forms.base import UNKNOWN_CLASS
from gapwise.forms.mask import UNKNOWN_PIXEL
from gapwise.labels import Labels
from gapwise.training.augmentation.augment import Augmentation
from gapwise.training.augmentation.geometry import Affine

LEAST_LEFT = 0.3
"""Share of a box's area that must stay on the picture; a smaller piece is no object to learn."""

MOVING = ("mirror", "shift", "crop", "rotation", "shear", "warp")


def check_follows(asked: list[str], labels: Labels) -> None:
    """Refuse changes that targets cannot follow.

    Args:
        asked: the options of ``training.augmentation`` that change a picture.
        labels: what the targets are.

    Raises:
        PipelineError: names the option and why.
    """
    if not labels.is_drawn:
        return
    why = {}
    if labels.kind != "mask":
        why["warp"] = "bends what a box or a point is the place of; use rotation, shear and crop"
    if labels.kind == "points":
        why["mirror"] = "makes a left point of a right one; take it out"
    for name in asked:
        if name in why:
            raise PipelineError(f"training.augmentation.{name} {why[name]}")


def followed(
    change: Augmentation, labels: Labels, targets: Tensor, positions: Tensor, epoch: int
) -> Tensor:
    """Return targets where the pictures' pixels went.

    A mask takes the class of the nearest pixel, and what comes in from beyond the picture is
    unknown. A box becomes the upright box around its moved corners, cut off at the picture's edge,
    and is dropped where less than ``LEAST_LEFT`` of it is left.

    Args:
        change: what was done to the pictures.
        labels: what the targets are.
        targets: (n, …), as the data has them.
        positions, epoch: what the pictures were drawn by.
    """
    if not (labels.is_drawn and change.moves):
        return targets
    height, width = labels.extent
    if labels.kind == "mask":
        return _mask(targets, *change.sources(height, width, positions, epoch))
    affine = change.affine(height, width, positions, epoch)
    if labels.kind == "points":
        return _forward(affine, targets, height, width)
    return _boxes(affine, targets, height, width)


def _mask(masks: Tensor, x: Tensor, y: Tensor) -> Tensor:
    height, width = masks.shape[1:]
    columns = (x + (width - 1) / 2).round().long()
    rows = (y + (height - 1) / 2).round().long()
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    place = rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)
    place, inside = (values.expand(masks.shape) for values in (place, inside))
    taken = masks.flatten(1).gather(1, place.flatten(1)).view(masks.shape)
    return torch.where(inside, taken, UNKNOWN_PIXEL)


def _forward(affine: Affine, points: Tensor, height: int, width: int) -> Tensor:
    """Return where points (n, k, 2) went: an affine change says where each pixel comes from."""
    xu, xv, x0, yu, yv, y0 = (
        torch.as_tensor(entry, dtype=points.dtype, device=points.device).view(-1, 1)
        for entry in affine
    )
    x, y = points[..., 0] - width / 2 - x0, points[..., 1] - height / 2 - y0
    area = xu * yv - xv * yu
    u, v = (yv * x - xv * y) / area, (xu * y - yu * x) / area
    return torch.stack([u + width / 2, v + height / 2], -1)


def _boxes(affine: Affine, boxes: Tensor, height: int, width: int) -> Tensor:
    x0, y0, x1, y1 = boxes[..., 1:].unbind(-1)
    around = torch.stack([x0, y0, x1, y0, x1, y1, x0, y1], -1).view(*x0.shape, 4, 2)
    moved = _forward(affine, around.flatten(1, 2), height, width).view(around.shape)
    low, high = moved.amin(2), moved.amax(2)
    edge = torch.tensor([width, height], dtype=boxes.dtype, device=boxes.device)
    cut_low, cut_high = low.clamp(min=0).minimum(edge), high.clamp(min=0).minimum(edge)
    left = (cut_high - cut_low).prod(-1) / (high - low).prod(-1).clamp(min=1e-6)
    there = (boxes[..., 0] != UNKNOWN_CLASS) & (left >= LEAST_LEFT)
    made = torch.cat([boxes[..., :1], cut_low, cut_high], -1)
    nothing = made.new_tensor([UNKNOWN_CLASS, 0, 0, 0, 0])
    return torch.where(there[..., None], made, nothing)
