"""Regions of a picture that may hold an object: segments and neighbours put together (notes 6.10).

In the manner of R-CNN (Girshick et al., 2014), whose proposals came from selective search (Uijlings
et al., 2013): the picture is cut into segments of even look at several scales (Felzenszwalb and
Huttenlocher, 2004, by scikit-image), and the boxes around each segment and around each two that
touch are proposed.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gapwise.metrics.boxes import iou

SCALES: Final = (50.0, 200.0, 800.0)
"""Of Felzenszwalb's segmentation: larger ones make larger segments."""

SAME: Final = 0.85
"""Boxes that overlap by more than this are one proposal."""


def proposals(
    picture: NDArray[np.uint8], least_side: int = 6, most: int = 500
) -> NDArray[np.float32]:
    """Return left, top, right and bottom of regions, the smallest area first: (k, 4).

    Args:
        picture: (height, width) or (height, width, 3).
        least_side: boxes with a shorter side are left out.
        most: proposals, at most; of more, every so many are taken, so that all sizes stay.
    """
    from skimage.segmentation import felzenszwalb  # late: half a second

    found: list[NDArray[np.float32]] = []
    for scale in SCALES:
        segments = felzenszwalb(
            picture, scale=scale, sigma=0.8, min_size=least_side**2, channel_axis=_channels(picture)
        )
        found.append(_boxes(segments))
    boxes = np.concatenate(found)
    sides = boxes[:, 2:] - boxes[:, :2]
    boxes, sides = boxes[(sides >= least_side).all(1)], sides[(sides >= least_side).all(1)]
    ordered = _different(boxes[np.argsort(sides.prod(1), kind="stable")])
    step = max(1, -(-len(ordered) // most))
    return ordered[::step]


def _channels(picture: NDArray[np.uint8]) -> int | None:
    return 2 if picture.ndim == 3 else None


def _boxes(segments: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the boxes around each segment and around each two that touch."""
    count = int(segments.max()) + 1
    rows, columns = np.indices(segments.shape)
    low = np.full((count, 2), np.iinfo(np.int64).max)
    high = np.zeros((count, 2), np.int64)
    for axis, places in enumerate((columns, rows)):
        np.minimum.at(low[:, axis], segments.ravel(), places.ravel())
        np.maximum.at(high[:, axis], segments.ravel(), places.ravel() + 1)
    alone = np.concatenate([low, high], 1)
    beside = np.stack([segments[:, :-1].ravel(), segments[:, 1:].ravel()], 1)
    below = np.stack([segments[:-1].ravel(), segments[1:].ravel()], 1)
    touching = np.sort(np.concatenate([beside, below]), axis=1)
    first, second = np.unique(touching[touching[:, 0] != touching[:, 1]], axis=0).T
    joined = np.concatenate(
        [np.minimum(low[first], low[second]), np.maximum(high[first], high[second])], 1
    )
    return np.concatenate([alone, joined]).astype(np.float32)


def _different(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the boxes without those that nearly equal one before them."""
    if not len(boxes):
        return boxes
    same = np.triu(iou(boxes, boxes) > SAME, 1)
    kept: NDArray[np.float32] = boxes[~same.any(0)]
    return kept
