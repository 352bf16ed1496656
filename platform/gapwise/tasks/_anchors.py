"""Anchors, and the place on the grid that an object belongs to (notes 6.8)."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapwise.forms.base import UNKNOWN_CLASS

ROUNDS = 100


class Places(NamedTuple):
    """What a network should say at each place: (n, anchors, rows, columns) each.

    Attributes:
        there: bool, whether an object belongs there.
        code: int64, its class, 0 where there is none.
        centre: (…, 2), where in the cell its centre lies, in [0, 1), x first.
        size: (…, 2), logarithm of its width and height over the anchor's.
        lost: (n,) float32, objects that found their place taken.
    """

    there: Tensor
    code: Tensor
    centre: Tensor
    size: Tensor
    lost: Tensor


def anchors_of(sizes: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    """Return ``count`` typical widths and heights, the smallest area first: (count, 2).

    k-means whose distance is 1 − IoU of boxes with one centre; it starts from boxes that lie evenly
    in the order of their areas, so that it needs no draw.

    Args:
        sizes: (n, 2), width and height of boxes in pixels.
        count: how many; where there are fewer different boxes, some come out equal.
    """
    boxes = sizes.astype(np.float64)
    ordered = boxes[np.argsort(boxes.prod(1), kind="stable")]
    found = ordered[((np.arange(count) + 0.5) / count * len(boxes)).astype(int)]
    nearest = np.full(len(boxes), -1)
    for _ in range(ROUNDS):
        now = _shape_iou(boxes, found).argmax(1)
        if np.array_equal(now, nearest):
            break
        nearest = now
        for k in range(count):
            if (nearest == k).any():
                found[k] = np.median(boxes[nearest == k], axis=0)
    order: NDArray[np.float64] = found[np.argsort(found.prod(1), kind="stable")]
    return order


def mean_iou(sizes: NDArray[np.float32], anchors: NDArray[np.float64]) -> float:
    """Return how well anchors fit boxes: the mean of each one's best IoU, both with one centre."""
    return float(_shape_iou(sizes.astype(np.float64), anchors).max(1).mean())


def places(targets: Tensor, anchors: Tensor, size: Tensor, grid: tuple[int, int]) -> Places:
    """Return what a network should say of targets: the label encoding of YOLO (notes 6.8, 6.9).

    An object belongs to the cell of its centre and to the anchor whose shape is nearest by IoU. Of
    two objects for one place the first one has it.

    Args:
        targets: (n, m, 5) class and corners; class -1 is none.
        anchors: (anchors, 2) width and height in pixels.
        size: (2,) width and height of the pictures in pixels.
        grid: rows and columns.
    """
    rows, columns = grid
    shape = (len(targets), len(anchors), rows, columns)
    real = targets[..., 0] != UNKNOWN_CLASS
    low, high = targets[..., 1:3].float(), targets[..., 3:5].float()
    cells = torch.tensor([columns, rows], device=targets.device)
    at = (low + high) / 2 / size * cells
    cell = torch.minimum(at.floor().long().clamp(min=0), cells - 1)
    sides = (high - low).clamp(min=1e-3)
    anchor = _tensor_iou(sides, anchors).argmax(-1)
    place = (anchor * rows + cell[..., 1]) * columns + cell[..., 0]
    count = len(anchors) * rows * columns
    # Written from the last to the first, so that the first one has the place.
    owner = torch.full((len(targets), count + 1), -1, device=targets.device)
    free = torch.where(real, place, count)
    for m in reversed(range(targets.shape[1])):
        owner.scatter_(1, free[:, m : m + 1], m)
    owner = owner[:, :count]
    there, own = owner >= 0, owner.clamp(min=0)
    code = targets[..., 0].clamp(min=0).long().gather(1, own) * there
    inside = (at - cell).gather(1, own[..., None].expand(-1, -1, 2))
    scale = torch.log(sides / anchors[anchor]).gather(1, own[..., None].expand(-1, -1, 2))
    return Places(
        there=there.view(shape),
        code=code.view(shape),
        centre=inside.view(*shape, 2),
        size=scale.view(*shape, 2),
        lost=(real.sum(1) - there.sum(1)).float(),
    )


def _shape_iou(sizes: NDArray[np.float64], anchors: NDArray[np.float64]) -> NDArray[np.float64]:
    shared = np.minimum(sizes[:, None], anchors[None]).prod(2)
    overlap: NDArray[np.float64] = shared / (
        sizes.prod(1)[:, None] + anchors.prod(1)[None] - shared
    )
    return overlap


def _tensor_iou(sizes: Tensor, anchors: Tensor) -> Tensor:
    shared = torch.minimum(sizes[..., None, :], anchors).prod(-1)
    return shared / (sizes.prod(-1)[..., None] + anchors.prod(-1) - shared)
