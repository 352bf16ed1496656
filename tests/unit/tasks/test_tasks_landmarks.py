"""Landmarks: unknown points, references and errors by hand (notes 6.2)."""

import numpy as np
import pytest
import torch

from gapwise.errors import PipelineError
from gapwise.labels import Labels
from gapwise.tasks.landmarks import Landmarks

FACE = Labels(kind="points", names=("left eye", "right eye", "nose"), extent=(60, 80))
POINTS = np.array(
    [
        [[10, 10], [30, 10], [20, 20]],
        [[12, 14], [42, 14], [np.nan, np.nan]],
        [[14, 12], [34, 12], [26, 24]],
    ],
    np.float32,
)


def landmarks(**options: object) -> Landmarks:
    task = Landmarks(**options)  # type: ignore[arg-type]
    task.use(FACE, Landmarks(**options).fit(FACE, POINTS))  # type: ignore[arg-type]
    return task


def test_means_are_those_of_the_known_points() -> None:
    fitted = Landmarks().fit(FACE, POINTS)
    assert fitted["mean"] == pytest.approx([12, 12, 106 / 3, 12, 23, 22])
    assert fitted["deviation"][4:] == pytest.approx([3, 2])
    assert fitted["unit"] == pytest.approx(100), "the picture's diagonal"


def test_an_unknown_point_changes_neither_loss_nor_error() -> None:
    task, targets = landmarks(), torch.from_numpy(POINTS)
    outputs = torch.zeros(3, 6)
    before = task.loss(outputs, targets)[1]
    outputs[:, 4:] = 50.0
    assert task.loss(outputs, targets)[1] == before
    assert task.loss(outputs, targets)[0] > before
    predicted = targets.nan_to_num(77.0)
    assert task.error(predicted, targets).tolist() == [0, 0, 0]


def test_the_error_is_the_mean_distance_over_that_of_the_eyes() -> None:
    task, targets = landmarks(reference=("left eye", "right eye")), torch.from_numpy(POINTS)
    predicted = targets.nan_to_num(0.0) + torch.tensor([3.0, 4.0])  # 5 pixels off, each
    assert task.error(predicted, targets).tolist() == pytest.approx([5 / 20, 5 / 30, 5 / 20])
    columns = task.columns(predicted, targets)
    assert columns["mean_distance"].tolist() == pytest.approx([5, 5, 5])
    assert columns["largest_distance"].tolist() == pytest.approx([5, 5, 5])


def test_where_an_eye_is_unknown_the_training_median_stands_for_their_distance() -> None:
    task = landmarks(reference=("left eye", "right eye"))
    target = torch.tensor([[[10.0, 10], [torch.nan, torch.nan], [20, 20]]])
    predicted = torch.tensor([[[13.0, 14], [0, 0], [23, 24]]])
    assert task.error(predicted, target).item() == pytest.approx(5 / 20)


def test_the_share_of_points_that_are_too_far_off() -> None:
    task = landmarks(reference=("left eye", "right eye"), error="beyond", tolerance=0.2)
    target = torch.from_numpy(POINTS[:1])
    predicted = target + torch.tensor([[[0.0, 3.9], [0, 4.1], [9, 0]]])
    assert task.error(predicted, target).item() == pytest.approx(2 / 3)


def test_far_off_is_at_most_1() -> None:
    task, target = landmarks(reference=("left eye", "right eye")), torch.from_numpy(POINTS[:1])
    assert task.error(target + 1000, target).item() == 1


def test_a_reference_that_is_no_point_names_the_nearest() -> None:
    with pytest.raises(PipelineError, match="did you mean left eye"):
        Landmarks(reference=("left eyes", "nose")).fit(FACE, POINTS)
    alone = POINTS[1:2]
    with pytest.raises(PipelineError, match="known together on no picture"):
        Landmarks(reference=("left eye", "nose")).fit(FACE, alone)
    with pytest.raises(ValueError, match="tolerance"):
        Landmarks(tolerance=0)
