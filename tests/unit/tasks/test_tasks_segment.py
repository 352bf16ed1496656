"""Segmentation: unknown pixels, smaller outputs, overlap by hand (notes 6.11)."""

import numpy as np
import pytest
import torch

from gapwise.errors import DataError
from gapwise.labels import Labels
from gapwise.tasks.segment import Segment

LABELS = Labels(kind="mask", names=("c",), classes=(("nothing", "cell", "wall"),), extent=(2, 4))
MASK = torch.tensor([[[0, 1, 1, 0], [0, 1, 255, 255]]], dtype=torch.uint8)
SAID = torch.tensor([[[0, 1, 0, 1], [0, 1, 2, 2]]], dtype=torch.uint8)


def segment(**options: object) -> Segment:
    task = Segment(**options)  # type: ignore[arg-type]
    task.use(LABELS, {})
    return task


def logits(mask: torch.Tensor, size: float = 20.0) -> torch.Tensor:
    known = torch.where(mask == 255, 0, mask).long()
    return size * torch.nn.functional.one_hot(known, 3).permute(0, 3, 1, 2).float()


def test_the_error_is_the_share_of_known_pixels_that_are_wrong() -> None:
    assert segment().error(SAID, MASK).item() == pytest.approx(2 / 6)


def test_overlap_of_each_class_by_hand() -> None:
    found = {name: v.item() for name, v in segment().columns(SAID, MASK).items()}
    assert found["iou_nothing"] == pytest.approx(2 / 4)
    assert found["iou_cell"] == pytest.approx(2 / 4)
    assert found["dice_cell"] == pytest.approx(4 / 6)
    assert np.isnan(found["iou_wall"]), "neither mask shows it among the known pixels"
    assert segment(error="overlap").error(SAID, MASK).item() == pytest.approx(0.5)


def test_unknown_pixels_change_nothing() -> None:
    other = SAID.clone()
    other[0, 1, 2:] = 0
    assert segment().error(other, MASK) == segment().error(SAID, MASK)
    outputs = torch.randn(1, 3, 2, 4, generator=torch.Generator().manual_seed(0))
    moved = outputs.clone()
    moved[:, :, 1, 2:] += torch.tensor([5.0, -3, 1])[:, None]
    for task in (segment(), segment(dice=1.0)):
        assert torch.allclose(task.training_loss(moved, MASK), task.training_loss(outputs, MASK))


def test_an_output_smaller_than_the_mask_is_of_its_middle() -> None:
    """What a U-Net without padding gives (notes 6.13)."""
    labels = Labels(kind="mask", names=("c",), classes=LABELS.classes, extent=(6, 7))
    task = Segment()
    task.use(labels, {})
    mask = torch.zeros(1, 6, 7, dtype=torch.uint8)
    mask[0, 2:4, 2:5] = 1
    outputs = logits(mask[:, 2:4, 2:5])
    assert task.loss(outputs, mask).item() < 1e-6
    predicted = task.predict(outputs)
    assert predicted.shape == mask.shape
    assert (predicted == 255).sum() == 42 - 6
    assert task.error(predicted, mask).item() == 0


def test_dice_is_0_for_the_truth_and_counts_a_small_class_as_a_large_one() -> None:
    truth = segment(dice=1.0).training_loss(logits(MASK), MASK)
    assert truth.item() < 1e-3
    large = torch.zeros(1, 2, 4, dtype=torch.uint8)
    large[0, 0, 0] = 1  # one pixel of eight
    missed = logits(torch.zeros_like(large))
    whole = segment(dice=1.0).training_loss(missed, large) - segment().loss(missed, large)
    assert whole.item() == pytest.approx(1 - (14 / 15 + 0) / 2, abs=1e-3)


def test_what_does_not_fit_is_refused_with_both_shapes() -> None:
    with pytest.raises(DataError, match=r"\(1, 2, 4\).*\(1, 3, 4, 4\)"):
        segment().loss(torch.zeros(1, 3, 4, 4), MASK)
    with pytest.raises(DataError, match="masks of one shape"):
        segment().error(SAID, MASK[:, :1])
    with pytest.raises(ValueError, match="dice"):
        Segment(dice=-1)
