"""Regions that may hold an object: every shape is among them, and they are few (notes 6.10)."""

import numpy as np
import pytest

from gapwise.metrics.boxes import iou
from gapwise.workflows.proposals import proposals


def scene(colour: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rectangles and a two-coloured one on noise, and their boxes."""
    draw = np.random.default_rng(0)
    picture = draw.integers(90, 110, (120, 160, 3)).astype(np.uint8)
    boxes = [(10, 12, 40, 52), (60, 20, 110, 44), (90, 70, 150, 112), (20, 80, 50, 110)]
    for x0, y0, x1, y1 in boxes[:3]:
        picture[y0:y1, x0:x1] = draw.integers(200, 215, (y1 - y0, x1 - x0, 3))
    picture[80:95, 20:50] = (30, 30, 30)
    picture[95:110, 20:50] = (220, 220, 220)
    return (picture if colour else picture[..., 1]), np.array(boxes, np.float32)


@pytest.mark.parametrize("colour", [True, False])
def test_every_object_is_among_few_proposals(colour: bool) -> None:
    picture, boxes = scene(colour)
    found = proposals(picture)
    assert 4 <= len(found) <= 300
    assert (iou(boxes, found).max(1) > 0.85).all(), "also the one of two parts that touch"
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] <= (160, 120)).all()
    areas = (found[:, 2:] - found[:, :2]).prod(1)
    assert (np.diff(areas) >= 0).all()


def test_proposals_differ_and_are_no_more_than_asked_for() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (80, 80)).astype(np.uint8)
    found = proposals(picture, most=20)
    assert 0 < len(found) <= 20
    overlap = iou(found, found)
    np.fill_diagonal(overlap, 0)
    assert overlap.max() <= 0.85
    assert (found[:, 2:] - found[:, :2]).min() >= 6
