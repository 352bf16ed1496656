"""Average precision and overlap: by hand, by pycocotools' protocol, and with honest intervals."""

import json
from dataclasses import replace

import numpy as np
import pytest

from gapwise.diagnostics.drawn import figure_of
from gapwise.diagnostics.measured import p_value, value_of
from gapwise.diagnostics.measures import measure, to_optimize
from gapwise.errors import DataError
from gapwise.labels import Labels
from gapwise.records import Predictions

CELLS = Labels(kind="boxes", names=("cell",), classes=(("red", "white"),), extent=(100, 100))
WALLS = Labels(kind="mask", names=("c",), classes=(("nothing", "wall"),), extent=(1, 8))


def table(labels: Labels, target: list[str], predicted: list[str], group=None) -> Predictions:
    n = len(target)
    return Predictions(
        split="dev",
        example_id=np.array([f"e{i}" for i in range(n)]),
        target=np.array(target),
        predicted=np.array(predicted),
        error=np.zeros(n),
        weight=np.ones(n),
        labels=labels,
        group=group,
    )


def box(name: str, x: float, score: float | None = None, width: float = 20) -> dict:
    found = {"class": name, "box": [x, 10, x + width, 40]}
    return found if score is None else found | {"score": score}


def drawn(seed: int, n: int = 60, right: float = 0.7) -> Predictions:
    """Pictures with one or two objects, of which a share is found and some boxes are false."""
    draw = np.random.default_rng(seed)
    target, predicted = [], []
    for _ in range(n):
        true = [box("red", 5), *([box("white", 60)] if draw.random() < 0.5 else [])]
        said = [
            box(one["class"], one["box"][0] + draw.uniform(-2, 2), round(draw.uniform(0.4, 1), 3))
            for one in true
            if draw.random() < right
        ]
        if draw.random() < 0.3:
            said.append(box("red", 35, round(draw.uniform(0.2, 0.8), 3)))
        target.append(json.dumps(true))
        predicted.append(json.dumps(said))
    return table(CELLS, target, predicted)


def test_the_truth_has_a_precision_of_1_and_nothing_said_of_0() -> None:
    truth = json.dumps([box("red", 5, 0.9), box("white", 60, 0.8)])
    perfect = table(CELLS, [truth] * 3, [truth] * 3)
    for name in ("map", "map50", "map75", "map50[white]"):
        assert figure_of(measure(name), perfect)[0] == pytest.approx(1)
    silent = replace(perfect, predicted=np.array(["[]"] * 3))
    assert figure_of(measure("map50"), silent)[0] == 0


def test_precision_by_hand() -> None:
    """Two objects; a hit at 0.9, a false box at 0.8, a hit at 0.7: 51·1 + 50·2/3 of 101 recalls."""
    target = [json.dumps([box("red", 5)]), json.dumps([box("red", 60)])]
    said = [
        json.dumps([box("red", 5, 0.9), box("red", 70, 0.8, 25)]),
        json.dumps([box("red", 60, 0.7)]),
    ]
    found = figure_of(measure("map50[red]"), table(CELLS, target, said))[0]
    assert found == pytest.approx((51 + 50 * 2 / 3) / 101, abs=1e-6)


def test_a_loose_box_counts_at_half_overlap_and_not_at_three_quarters() -> None:
    target = [json.dumps([box("red", 5)])] * 4
    said = [json.dumps([box("red", 10, 0.9)])] * 4  # 15 of 25 columns: 0.6
    loose = table(CELLS, target, said)
    assert figure_of(measure("map50"), loose)[0] == 1
    assert figure_of(measure("map75"), loose)[0] == 0
    assert figure_of(measure("map"), loose)[0] == pytest.approx(0.3), "0.5, 0.55 and 0.6 of ten"


def test_a_class_that_does_not_occur_is_undefined_and_an_unknown_one_refused() -> None:
    red = json.dumps([box("red", 5, 0.9)])
    only = table(CELLS, [red] * 3, [red] * 3)
    assert figure_of(measure("map50[white]"), only) == (None, None)
    assert figure_of(measure("map50"), only)[0] == 1
    with pytest.raises(DataError, match=r"no class 'whit'.*white"):
        figure_of(measure("map50[whit]"), only)
    with pytest.raises(DataError, match="miou is of mask"):
        figure_of(measure("miou"), only)


def test_overlap_of_masks_is_pooled_over_pixels_and_unknown_ones_are_left_out() -> None:
    target = ['{"size":[1,8],"runs":[0,4,1,3,255,1]}', '{"size":[1,8],"runs":[0,8]}']
    said = ['{"size":[1,8],"runs":[0,5,1,3]}', '{"size":[1,8],"runs":[0,6,1,2]}']
    found = table(WALLS, target, said)
    assert figure_of(measure("miou[wall]"), found)[0] == pytest.approx(2 / 5)
    assert figure_of(measure("miou[nothing]"), found)[0] == pytest.approx(10 / 13)
    assert figure_of(measure("miou"), found)[0] == pytest.approx((2 / 5 + 10 / 13) / 2)


def test_the_interval_holds_what_the_figure_is_of() -> None:
    """Of 60 draws of 60 pictures, nine tenths of the intervals hold the value of 3,000."""
    truth = figure_of(measure("map50"), drawn(0, 3000))[0]
    held = 0
    for seed in range(1, 61):
        value, interval = figure_of(measure("map50"), drawn(seed))
        assert interval is not None
        assert interval.low < value < interval.high
        held += interval.low <= truth <= interval.high
    assert held >= 54


def test_groups_are_left_out_whole_and_one_alone_has_no_interval() -> None:
    found = drawn(3)
    alone = replace(found, group=np.array(["one"] * len(found)))
    answer = value_of(measure("map50"), alone)
    assert answer.value == value_of(measure("map50"), found).value
    assert answer.interval is None
    assert "single group" in answer.why


def test_a_better_run_is_told_from_a_worse_one_and_a_run_from_itself_is_not() -> None:
    worse, better = drawn(5, 120, right=0.5), drawn(5, 120, right=0.97)
    better = replace(better, target=worse.target, example_id=worse.example_id)
    assert p_value(measure("map50"), worse, worse) == 1
    shifted = replace(worse, predicted=worse.target)
    assert p_value(measure("map50"), worse, shifted) < 1e-4


def test_names_tell_kind_and_direction() -> None:
    for name in ("map", "map50", "map75[red]", "miou"):
        found = to_optimize(name)
        assert (found.kind, found.higher_is_better, found.is_fraction) == ("drawn", True, True)
