"""Intersection over union and the matching of boxes to objects (notes 6.6)."""

import numpy as np
import pytest

from gapwise.metrics.boxes import iou, match


def rows(*values: tuple[float, ...]) -> np.ndarray:
    return np.array(values, np.float32)


def test_iou_by_hand() -> None:
    first = rows((0, 0, 2, 2), (0, 0, 1, 1))
    second = rows((1, 0, 3, 2), (5, 5, 6, 6), (0, 0, 2, 2))
    wanted = [[2 / 6, 0, 1], [0, 0, 1 / 4]]
    assert np.allclose(iou(first, second), wanted)


def test_iou_is_symmetric_within_0_and_1_and_knows_empty_boxes() -> None:
    draw = np.random.default_rng(0)
    low = draw.uniform(0, 10, (40, 2))
    boxes = np.concatenate([low, low + draw.uniform(0, 5, (40, 2))], 1).astype(np.float32)
    found = iou(boxes, boxes)
    assert np.allclose(found, found.T)
    assert ((found >= 0) & (found <= 1 + 1e-6)).all()
    assert np.allclose(np.diag(found), 1, atol=1e-5)
    assert iou(rows((1, 1, 1, 3)), rows((0, 0, 4, 4))).item() == 0
    assert iou(boxes, np.empty((0, 4), np.float32)).shape == (40, 0)


def test_the_surest_box_finds_the_object_and_a_second_one_is_false() -> None:
    said = rows((0, 0, 0, 10, 10, 0.6), (0, 1, 0, 10, 10, 0.9))
    found = match(said, rows((0, 0, 0, 10, 10)))
    assert found.objects.tolist() == [-1, 0]
    assert (found.hits, found.false_positives, found.misses) == (1, 1, 0)
    assert found.error == pytest.approx(1 / 3)


def test_a_box_of_another_class_finds_nothing() -> None:
    found = match(rows((1, 0, 0, 10, 10, 0.9)), rows((0, 0, 0, 10, 10)))
    assert (found.false_positives, found.misses, found.error) == (1, 1, 1.0)


def test_an_object_that_is_taken_leaves_the_next_best() -> None:
    objects = rows((0, 0, 0, 10, 10), (0, 2, 0, 12, 10))
    said = rows((0, 0, 0, 10, 10, 0.9), (0, 0.5, 0, 10.5, 10, 0.8))
    assert match(said, objects).objects.tolist() == [0, 1]


def test_nothing_said_of_nothing_is_right() -> None:
    said, objects = np.empty((0, 6), np.float32), np.empty((0, 5), np.float32)
    assert match(said, objects).error == 0
    assert match(said, rows((0, 0, 0, 1, 1))).error == 1
