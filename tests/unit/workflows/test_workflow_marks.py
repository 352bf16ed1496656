"""What lies on a picture: matched boxes, points, right and wrong pixels; and its drawing."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from gapwise.errors import DataError
from gapwise.labels import Labels
from gapwise.records import Predictions
from gapwise.reports.overlay_svg import overlay
from gapwise.workflows.marks import marks_of

NASTY = '<script>alert("x")</script>'
CELLS = Labels(kind="boxes", names=("cell",), classes=(("red", NASTY),), extent=(50, 100))
EYES = Labels(kind="points", names=("left", "right"), extent=(50, 100))
WALLS = Labels(kind="mask", names=("c",), classes=(("nothing", "wall", "gate"),), extent=(1, 6))


def table(labels: Labels, target: str, predicted: str) -> Predictions:
    return Predictions(
        split="dev",
        example_id=np.array(["e0"]),
        target=np.array([target]),
        predicted=np.array([predicted]),
        error=np.zeros(1),
        weight=np.ones(1),
        labels=labels,
    )


def box(name: str, x: float, score: float | None = None) -> dict:
    found = {"class": name, "box": [x, 10, x + 20, 40]}
    return found if score is None else found | {"score": score}


def drawn(found: Predictions) -> ElementTree.Element:
    marks = marks_of(found, 0)
    assert marks is not None
    return ElementTree.fromstring(overlay(marks))


def test_boxes_are_found_false_missed_or_true_and_unsure_ones_are_not_drawn() -> None:
    target = [box("red", 0), box("red", 40), box(NASTY, 70)]
    said = [box("red", 1, 0.9), box("red", 70, 0.8), box(NASTY, 71, 0.3)]
    found = marks_of(table(CELLS, json.dumps(target), json.dumps(said)), 0)
    assert found is not None
    states = [(one.state, one.x0, one.words) for one in found.boxes]
    assert states == [
        ("found", 1, "red 0.90"),
        ("false", 70, "red 0.80"),
        ("true", 0, ""),
        ("missed", 40, "red"),
        ("missed", 70, NASTY),
    ]


def test_the_drawing_has_a_rectangle_a_box_and_text_stays_text() -> None:
    svg = drawn(table(CELLS, json.dumps([box(NASTY, 70)]), json.dumps([box("red", 1, 0.9)])))
    assert svg.get("viewBox") == "0 0 100 50"
    names = [one.tag.split("}")[1] for one in svg.iter()]
    assert names.count("rect") == 2
    assert "script" not in names
    words = [one.text for one in svg.iter() if one.tag.endswith("text")]
    assert sorted(words) == sorted([NASTY, "red 0.90"])


def test_points_are_joined_to_where_they_should_be() -> None:
    svg = drawn(table(EYES, "[[10, 20], null]", "[[13, 24], [5, 5]]"))
    (line,) = [one for one in svg.iter() if one.tag.endswith("line")]
    assert [float(line.get(k, "")) for k in ("x1", "y1", "x2", "y2")] == [13, 24, 10, 20]
    assert len([one for one in svg.iter() if one.tag.endswith("circle")]) == 3


def test_pixels_are_right_false_or_missed_and_unknown_ones_neither() -> None:
    target = '{"size":[1,6],"runs":[0,1,1,3,2,1,255,1]}'
    said = '{"size":[1,6],"runs":[1,2,0,1,1,2,2,1]}'
    found = marks_of(table(WALLS, target, said), 0)
    assert found is not None
    areas = {state: area[0].astype(int).tolist() for state, area in found.pixels}
    assert areas == {
        "found": [0, 1, 0, 1, 0, 0],
        "false": [1, 0, 0, 0, 1, 0],
        "missed": [0, 0, 1, 0, 0, 0],
    }
    paths = [one.get("d") for one in ElementTree.fromstring(overlay(found)).iter() if one.get("d")]
    assert paths == ["M1 0h1v1h-1zM3 0h1v1h-1z", "M0 0h1v1h-1zM4 0h1v1h-1z", "M2 0h1v1h-1z"]


def test_classes_have_no_marks_and_a_broken_row_is_named() -> None:
    plain = table(Labels(kind="value", names=("v",)), "a", "b")
    assert marks_of(plain, 0) is None
    for text in ("no json", '[{"box": [1, 2, 3, 4]}]', '[{"class": "red", "box": [1]}]'):
        with pytest.raises(DataError, match="dev, example e0"):
            marks_of(table(CELLS, text, "[]"), 0)


def test_in_a_crowd_only_what_is_wrong_bears_words() -> None:
    target = [box("red", 3 * i) for i in range(12)]
    said = [box("red", 3 * i, 0.9) for i in range(11)]
    svg = drawn(table(CELLS, json.dumps(target), json.dumps(said)))
    words = [one.text for one in svg.iter() if one.tag.endswith("text")]
    assert words == ["red"], "the one that was missed"
