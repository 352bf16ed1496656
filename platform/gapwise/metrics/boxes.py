"""How boxes overlap, and which predicted box is of which object (notes 6.6)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]


class Matched(NamedTuple):
    """Which predicted boxes found which objects.

    Attributes:
        objects: (k,) int64, the object that each predicted box found, -1 for none.
        found: (m,) bool, which objects were found.
    """

    objects: NDArray[np.int64]
    found: NDArray[np.bool_]

    @property
    def hits(self) -> int:
        """Return how many objects were found."""
        return int(self.found.sum())

    @property
    def false_positives(self) -> int:
        """Return how many predicted boxes are of no object."""
        return int((self.objects < 0).sum())

    @property
    def misses(self) -> int:
        """Return how many objects were not found."""
        return int((~self.found).sum())

    @property
    def error(self) -> float:
        """Return 1 less F1: (false positives + misses) / (2 hits + false positives + misses)."""
        wrong = self.false_positives + self.misses
        return wrong / (2 * self.hits + wrong) if wrong else 0.0


def iou(first: Rows, second: Rows) -> NDArray[np.float32]:
    """Return the intersection over union of every pair: (k, m).

    Args:
        first: (k, 4), left, top, right, bottom.
        second: (m, 4).
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod((high - low).clip(min=0), axis=2)
    areas = [
        np.prod((boxes[:, 2:] - boxes[:, :2]).clip(min=0), axis=1) for boxes in (first, second)
    ]
    union = areas[0][:, None] + areas[1][None] - shared
    overlap: NDArray[np.float32] = shared / np.maximum(union, np.finfo(np.float32).tiny)
    return overlap


def match(predicted: Rows, true: Rows, least: float = 0.5) -> Matched:
    """Give each predicted box, the highest score first, the object that it overlaps most.

    An object is found once, by a box of its own class whose intersection over union is ``least`` at
    least: that of the PASCAL VOC challenge.

    Args:
        predicted: (k, 6): class, left, top, right, bottom, score.
        true: (m, 5): class, left, top, right, bottom.
        least: of the intersection over union.
    """
    objects = np.full(len(predicted), -1, np.int64)
    found = np.zeros(len(true), np.bool_)
    if len(predicted) and len(true):
        overlap = iou(predicted[:, 1:5], true[:, 1:5])
        overlap[predicted[:, None, 0] != true[None, :, 0]] = -1.0
        for row in np.argsort(-predicted[:, 5], kind="stable"):
            free = np.where(found, -1.0, overlap[row])
            best = int(np.argmax(free))
            if free[best] >= least:
                objects[row], found[best] = best, True
    return Matched(objects, found)
