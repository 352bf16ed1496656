"""Boxes as tensors: corners and centres, overlap, non-max suppression (notes 6.6, 6.7)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapwise.errors import DataError
from gapwise.forms.base import UNKNOWN_CLASS
from gapwise.forms.boxes import SURE
from gapwise.metrics.boxes import Matched, match


def corners(centres: Tensor) -> Tensor:
    """Return (…, 4) left, top, right, bottom of (…, 4) centre x, y, width, height."""
    middle, half = centres[..., :2], centres[..., 2:] / 2
    return torch.cat([middle - half, middle + half], -1)


def centres(boxes: Tensor) -> Tensor:
    """Return (…, 4) centre x, y, width, height of (…, 4) left, top, right, bottom."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], -1)


def iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the intersection over union of every pair: (…, k, m) of (…, k, 4) and (…, m, 4)."""
    # Side by side, in place: over the last axis of four a product takes ten times as long.
    x0, y0, x1, y1 = first[..., :, None, :].unbind(-1)
    u0, v0, u1, v1 = second[..., None, :, :].unbind(-1)
    shared = (torch.minimum(x1, u1) - torch.maximum(x0, u0)).clamp_(min=0)
    shared *= (torch.minimum(y1, v1) - torch.maximum(y0, v0)).clamp_(min=0)
    areas = (x1 - x0).clamp(min=0) * (y1 - y0).clamp(min=0)
    union = areas + (u1 - u0).clamp(min=0) * (v1 - v0).clamp(min=0) - shared
    return shared / union.clamp_(min=torch.finfo(shared.dtype).tiny)


def kept(boxes: Tensor, valid: Tensor, most: float) -> Tensor:
    """Return which boxes non-max suppression keeps, (…, k) bool; leading axes stand apart.

    A box goes where one before it that is kept overlaps it by more than ``most``. All axes are done
    at once: what a kept box suppresses is worked out for all boxes, again with what is then kept,
    until nothing changes, which is where the box-by-box way ends too (Zheng et al., 2020).

    Args:
        boxes: (…, k, 4) corners, the highest score first.
        valid: (…, k) bool, those that count at all.
        most: intersection over union above which two boxes are of one object.
    """
    count = boxes.shape[-2]
    # [i, j]: whether box i, if it is kept, suppresses box j behind it; as numbers, so that what is
    # kept suppresses by one product of matrices.
    over = (iou(boxes, boxes) > most).to(boxes.dtype).triu_(1)
    keep = valid
    for _ in range(max(count, 1)):
        now = valid & ((keep.to(boxes.dtype)[..., None, :] @ over)[..., 0, :] == 0)
        if torch.equal(now, keep):
            break
        keep = now
    return keep


def as_targets(predicted: Tensor) -> Tensor:
    """Return boxes with a score, (n, k, 6): those that are true, (n, k, 5), are sure."""
    if predicted.shape[-1] == 6:
        return predicted
    return torch.cat([predicted, torch.ones_like(predicted[..., :1])], -1)


def matches(predicted: Tensor, targets: Tensor, least: float) -> list[Matched]:
    """Return for each example which of its sure boxes found which of its objects.

    Args:
        predicted: (n, k, 6), or targets.
        targets: (n, m, 5).
        least: intersection over union from which a box is of an object.

    Raises:
        DataError: they are no boxes of as many examples; names both shapes.
    """
    fits = predicted.ndim == targets.ndim == 3 and len(predicted) == len(targets)
    if not fits or targets.shape[-1] != 5:
        raise DataError(
            f"targets have the shape {tuple(targets.shape)} and predictions "
            f"{tuple(predicted.shape)}; give boxes of 5 numbers for each example"
        )
    said = as_targets(predicted.detach()).float().cpu().numpy()
    true = targets.float().cpu().numpy()
    return [
        match(_real(mine[mine[:, 5] >= SURE]), _real(own), least)
        for mine, own in zip(said, true, strict=True)
    ]


def _real(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    real: NDArray[np.float32] = boxes[boxes[:, 0] != UNKNOWN_CLASS]
    return real


def each(values: list[float] | list[int], like: Tensor) -> Tensor:
    """Return one float32 an example, on the device of ``like``."""
    return torch.from_numpy(np.array(values, np.float32)).to(like.device)
