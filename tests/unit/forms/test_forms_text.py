"""The JSON of boxes, points and masks, as the predictions table holds it."""

import numpy as np
import pytest

from gapwise.forms import boxes, mask, points
from gapwise.labels import Labels

CELLS = Labels(kind="boxes", names=("cell",), classes=(("red", "white"),), extent=(12, 16))
MASKS = Labels(kind="mask", names=("c",), classes=(("nothing", "cell", "wall"),), extent=(2, 4))


def test_a_box_keeps_class_corners_and_score_and_padding_is_left_out() -> None:
    said = np.array([[[1, 2.123, 3, 8, 9, 0.87654], [-1, 0, 0, 0, 0, 0]]], np.float32)
    text = boxes.Boxes().text(CELLS, said)[0]
    assert text == '[{"class": "white", "box": [2.12, 3.0, 8.0, 9.0], "score": 0.8765}]'
    (found,) = boxes.read(text)
    assert found == boxes.Box("white", 2.12, 3.0, 8.0, 9.0, 0.8765)
    assert found.is_sure
    assert not found._replace(score=0.49).is_sure
    assert boxes.read('[{"class": "red", "box": [0, 0, 1, 1]}]')[0].score == 1


def test_boxes_are_told_from_left_to_right_and_only_those_that_count() -> None:
    form = boxes.Boxes()
    rows = [[0, 9, 0, 12, 5, 0.9], [1, 2, 0, 4, 5, 0.8], [1, 0, 0, 4, 5, 0.3]]
    assert form.words(CELLS, form.text(CELLS, np.array([rows], np.float32))[0]) == "white, red"
    many = np.array([[[i % 2, i, 0, i + 1, 5] for i in range(9)]], np.float32)
    assert form.words(CELLS, form.text(CELLS, many)[0]) == "5 red, 4 white"
    assert form.words(CELLS, "[]") == "nothing"


def test_lists_of_boxes_are_padded_to_the_longest() -> None:
    one = np.array([[0, 1, 2, 3, 4]], np.float32)
    none = np.empty((0, 5), np.float32)
    made = boxes.padded([one, none, np.repeat(one, 3, axis=0)])
    assert made.shape == (3, 3, 5)
    assert (made[..., 0] != -1).sum(1).tolist() == [1, 0, 3]
    assert boxes.padded([none]).shape == (1, 1, 5)


def test_a_mask_is_its_runs_and_comes_back() -> None:
    given = np.array([[[0, 0, 1, 1], [1, 2, 255, 0]]], np.uint8)
    text = mask.Mask().text(MASKS, given)[0]
    assert text == '{"size":[2,4],"runs":[0,2,1,3,2,1,255,1,0,1]}'
    assert np.array_equal(mask.read(text), given[0])
    assert mask.Mask().words(MASKS, text) == "cell 43 %, wall 14 %"
    assert mask.Mask().words(MASKS, '{"size":[2,4],"runs":[0,8]}') == "nothing"


@pytest.mark.parametrize("seed", range(5))
def test_any_mask_comes_back(seed: int) -> None:
    given = np.random.default_rng(seed).integers(0, 3, (1, 2, 4)).astype(np.uint8)
    assert np.array_equal(mask.read(mask.Mask().text(MASKS, given)[0]), given[0])


def test_unknown_points_are_null() -> None:
    labels = Labels(kind="points", names=("a", "b"), extent=(8, 8))
    given = np.array([[[1.5, 2], [np.nan, np.nan]]], np.float32)
    text = points.Points().text(labels, given)[0]
    assert text == "[[1.5, 2.0], null]"
    assert points.read(text) == [(1.5, 2.0), None]
    assert points.Points().words(labels, text) == "2 points, 1 unknown"
