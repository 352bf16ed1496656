"""Localization and detection: losses by hand, places on the grid, suppression (notes 6.1–6.9)."""

import numpy as np
import pytest
import torch

from gapwise.errors import DataError, PipelineError
from gapwise.labels import Labels
from gapwise.tasks._anchors import anchors_of, mean_iou, places
from gapwise.tasks.boxes import centres, corners, iou, kept
from gapwise.tasks.detect import Detect
from gapwise.tasks.localize import Localize

LABELS = Labels(kind="boxes", names=("thing",), classes=(("a", "b", "c"),), extent=(64, 64))


def boxes(*rows: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor([rows], dtype=torch.float32)


def localize(**options: object) -> Localize:
    task = Localize(**options)  # type: ignore[arg-type]
    task.use(LABELS, {})
    return task


def detect(anchors: list[list[float]], **options: object) -> Detect:
    task = Detect(anchors=len(anchors), **options)  # type: ignore[arg-type]
    task.use(LABELS, {"anchors": anchors})
    return task


def test_where_there_is_no_object_only_its_chance_counts() -> None:
    outputs = torch.tensor([[0.3, 9.0, 9, 9, 9, 9, 9, 9]])
    nothing = boxes((-1, 0, 0, 0, 0))
    assert localize().loss(outputs, nothing).item() == pytest.approx(0.09)


def test_the_loss_of_an_object_is_the_notes_sum_of_squares() -> None:
    # Centre 32, 16 of 64; width 32, height 16: shares 0.5, 0.25, and b_h before b_w.
    target = boxes((2, 16, 8, 48, 24))
    outputs = torch.tensor([[0.8, 0.6, 0.25, 0.35, 0.5, 0.0, 0.1, 0.9]])
    by_hand = 0.2**2 + 0.1**2 + 0.1**2 + 0.1**2 + 0.1**2
    assert localize().loss(outputs, target).item() == pytest.approx(by_hand, abs=1e-6)
    of_box = 0.1**2 + 0.1**2  # centre x and height are off by a tenth of the picture
    weighed = localize(box=5.0).loss(outputs, target).item()
    assert weighed == pytest.approx(by_hand + 4 * of_box, abs=1e-6)


def test_a_perfect_output_predicts_the_box_itself() -> None:
    target = boxes((2, 16, 8, 48, 24))
    outputs = torch.tensor([[1.0, 0.5, 0.25, 0.25, 0.5, 0, 0, 1]])
    predicted = localize().predict(outputs)
    assert torch.allclose(predicted[0, 0], torch.tensor([2.0, 16, 8, 48, 24, 1]))
    assert localize().columns(predicted, target)["overlap"].item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("said", "wrong", "distance"),
    [
        ((2, 16, 8, 48, 24, 0.9), 0, 0.0),
        ((2, 16, 8, 48, 20, 0.9), 0, 0.25),  # three quarters of it
        ((2, 16, 8, 24, 24, 0.9), 1, 1.0),  # a quarter of it
        ((1, 16, 8, 48, 24, 0.9), 1, 1.0),  # another class
        ((2, 16, 8, 48, 24, 0.4), 1, 1.0),  # not said
    ],
)
def test_errors_of_a_box(said: tuple[float, ...], wrong: float, distance: float) -> None:
    target = boxes((2, 16, 8, 48, 24))
    assert localize().error(boxes(said), target).item() == wrong
    assert localize(error="distance").error(boxes(said), target).item() == pytest.approx(distance)


def test_several_objects_on_a_picture_are_for_detection() -> None:
    with pytest.raises(PipelineError, match="set task: detect"):
        Localize().fit(LABELS, np.zeros((2, 3, 5), np.float32))


def test_centres_and_corners_undo_each_other() -> None:
    given = boxes((1, 2, 7, 12))
    assert torch.equal(corners(centres(given)), given)
    assert centres(given).tolist() == [[[4, 7, 6, 10]]]


def greedy(found: torch.Tensor, most: float) -> list[bool]:
    """Non-max suppression as the notes tell it, box by box."""
    overlap = iou(found, found)
    keep: list[int] = []
    for i in range(len(found)):
        if all(overlap[i, j] <= most for j in keep):
            keep.append(i)
    return [i in keep for i in range(len(found))]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("most", [0.1, 0.5])
def test_suppression_all_at_once_is_that_box_by_box(seed: int, most: float) -> None:
    draw = torch.Generator().manual_seed(seed)
    low = 12 * torch.rand(3, 60, 2, generator=draw)
    found = torch.cat([low, low + 1 + 6 * torch.rand(3, 60, 2, generator=draw)], 2)
    valid = torch.ones(3, 60, dtype=torch.bool)
    together = kept(found, valid, most)
    assert together.tolist() == [greedy(one, most) for one in found]
    assert 0 < int(together.sum()) < 180


def test_a_box_that_does_not_count_suppresses_nothing() -> None:
    twice = boxes((0, 0, 4, 4), (0, 0, 4, 4))
    assert kept(twice, torch.tensor([[False, True]]), 0.5).tolist() == [[False, True]]
    assert kept(twice, torch.tensor([[True, True]]), 0.5).tolist() == [[True, False]]


def test_an_object_lies_in_the_cell_of_its_centre_under_the_anchor_of_its_shape() -> None:
    anchors = torch.tensor([[8.0, 16.0], [16.0, 8.0]])
    # Centre 20, 44 of 64 on a grid of 4: column 1, row 2; a lying box.
    found = places(boxes((1, 12, 40, 28, 48)), anchors, torch.tensor([64.0, 64]), (4, 4))
    assert found.there.nonzero().tolist() == [[0, 1, 2, 1]]
    assert found.code[0, 1, 2, 1] == 1
    assert found.centre[0, 1, 2, 1].tolist() == [0.25, 0.75]
    assert found.size[0, 1, 2, 1].tolist() == [0, 0]
    assert found.lost.tolist() == [0]


def test_two_objects_for_one_place_the_first_has_it_and_the_other_is_counted() -> None:
    """Notes 6.8: three objects in a cell with two anchors; here one anchor and two objects."""
    anchors, size = torch.tensor([[8.0, 8.0]]), torch.tensor([64.0, 64])
    two = boxes((0, 4, 4, 12, 12), (2, 5, 5, 13, 13), (-1, 0, 0, 0, 0))
    found = places(two, anchors, size, (2, 2))
    assert found.lost.tolist() == [1]
    assert found.code[found.there].tolist() == [0]
    assert places(two, anchors, size, (64, 64)).lost.tolist() == [0], "a finer grid parts them"
    task = detect([[8.0, 8.0]])
    assert task.columns(task.predict(torch.zeros(1, 8, 2, 2)), two)["lost"].tolist() == [1]
    assert task.columns(task.predict(torch.zeros(1, 8, 64, 64)), two)["lost"].tolist() == [0]


@pytest.mark.parametrize("grid", [(4, 4), (8, 2)])
def test_what_is_encoded_is_decoded(grid: tuple[int, int]) -> None:
    task = detect([[10.0, 20.0], [24.0, 12.0]])
    true = boxes((0, 3, 5, 14, 28), (2, 30, 40, 60, 52), (1, 40, 2, 51, 20))
    anchors, size = torch.tensor([[10.0, 20], [24, 12]]), torch.tensor([64.0, 64])
    found = places(true, anchors, size, grid)
    outputs = torch.full((1, 2, 8, *grid), -12.0)
    outputs[:, :, 0][found.there] = 12.0
    centre = torch.logit(found.centre.clamp(1e-4, 1 - 1e-4))
    outputs[:, :, 1:3] = centre.permute(0, 1, 4, 2, 3)
    outputs[:, :, 3:5] = found.size.permute(0, 1, 4, 2, 3)
    outputs[:, :, 5:] = 12.0 * torch.nn.functional.one_hot(found.code, 3).permute(0, 1, 4, 2, 3)
    outputs = outputs.flatten(1, 2)
    predicted = task.predict(outputs)
    assert predicted.shape == (1, 3, 6)
    assert task.error(predicted, true).item() == 0
    order = predicted[0, :, 0].argsort()
    assert torch.allclose(predicted[0, order, 1:5], true[0, [0, 2, 1], 1:], atol=0.02)
    assert task.loss(outputs, true).item() < 0.01


def test_each_class_is_suppressed_by_itself() -> None:
    """Notes 6.7: with several kinds of objects, once for each kind."""
    task = detect([[16.0, 16.0]], overlap=0.5)
    outputs = torch.full((1, 8, 1, 2), -9.0)
    outputs[0, 0] = 4.0  # an object in both cells
    outputs[0, 1, 0], outputs[0, 2, 0] = torch.tensor([[3.0, -3.0], [0.0, 0.0]])  # side by side
    outputs[0, 3:5] = 0.0
    outputs[0, 5:] = 0.0
    outputs[0, 5, 0] = torch.tensor([9.0, 9.0])
    same = task.predict(outputs)[0]
    assert (same[:, 5] > 0.5).sum() == 1
    outputs[0, 5:7, 0] = torch.tensor([[9.0, 0.0], [0.0, 9.0]])
    apart = task.predict(outputs)[0]
    assert sorted(apart[apart[:, 5] > 0.5][:, 0].tolist()) == [0, 1]


def test_columns_count_objects_misses_and_false_boxes() -> None:
    task = detect([[8.0, 8.0]])
    true = boxes((0, 0, 0, 10, 10), (1, 20, 20, 30, 30))
    said = boxes((0, 0, 0, 10, 9, 0.9), (1, 40, 40, 50, 50, 0.8), (2, 1, 1, 5, 5, 0.2))
    found = {name: values.item() for name, values in task.columns(said, true).items()}
    assert found == {"objects": 2, "misses": 1, "false_positives": 1, "lost": 1}
    assert task.error(said, true).item() == pytest.approx(0.5)


def test_anchors_fit_better_the_more_there_are_and_come_smallest_first() -> None:
    draw = np.random.default_rng(0)
    kinds = np.array([[8, 8], [40, 10], [20, 50]])
    sizes = (kinds[draw.integers(0, 3, 300)] * draw.uniform(0.9, 1.1, (300, 2))).astype(np.float32)
    found = anchors_of(sizes, 3)
    assert np.allclose(found, kinds, rtol=0.06)
    fits = [mean_iou(sizes, anchors_of(sizes, count)) for count in (1, 2, 3)]
    assert fits == sorted(fits)
    assert fits[-1] > 0.85
    assert anchors_of(sizes[:1], 2).shape == (2, 2), "fewer boxes than anchors"


def test_training_without_any_object_is_refused() -> None:
    nothing = np.full((3, 2, 5), -1, np.float32)
    with pytest.raises(DataError, match="holds an object"):
        Detect().fit(LABELS, nothing)


@pytest.mark.parametrize(
    "options", [{"anchors": 0}, {"most": 0}, {"box": -1.0}, {"ignore": 0.0}, {"least_score": 2.0}]
)
def test_options_that_cannot_be_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(options)).split("_")[0]):
        Detect(**options)  # type: ignore[arg-type]
