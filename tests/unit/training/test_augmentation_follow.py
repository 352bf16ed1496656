"""Boxes, points and masks go where the pixels of their picture went (notes 5.17)."""

import pytest
import torch
from torch import Tensor

from gapwise.errors import PipelineError
from gapwise.labels import Labels
from gapwise.training.augmentation.augment import Augmentation
from gapwise.training.augmentation.follow import check_follows, followed

SIDE, N = 40, 24
POSITIONS = torch.arange(N) * 3 + 1
EXTENT = (SIDE, SIDE)
BOXES = Labels(kind="boxes", names=("t",), classes=(("a", "b"),), extent=EXTENT)
MASKS = Labels(kind="mask", names=("t",), classes=(("nothing", "thing"),), extent=EXTENT)
DOTS = Labels(kind="points", names=("p", "q"), extent=EXTENT)
MOVES = [
    {"shift": 4},
    {"crop": 0.5},
    {"rotation": 40.0},
    {"shear": 15.0},
    {"shift": 3, "rotation": 20.0, "crop": 0.7, "shear": 8.0},
]


def squares() -> tuple[Tensor, Tensor]:
    """Pictures with a bright square, and the squares' boxes."""
    pictures = torch.zeros(N, 1, SIDE, SIDE, dtype=torch.uint8)
    boxes = torch.zeros(N, 1, 5)
    for row in range(N):
        x, y, w, h = 12 + row % 5, 10 + row % 7, 9 + row % 4, 8 + row % 6
        pictures[row, 0, y : y + h, x : x + w] = 255
        boxes[row, 0] = torch.tensor([1.0, x, y, x + w, y + h])
    return pictures, boxes


@pytest.mark.parametrize("options", [*MOVES, {"mirror": True}], ids=str)
def test_a_box_lies_around_what_it_lay_around(options: dict[str, float]) -> None:
    change = Augmentation(seed=3, **options)  # type: ignore[arg-type]
    pictures, boxes = squares()
    moved = change(pictures, POSITIONS, 2)[:, 0] > 127
    found = followed(change, BOXES, boxes, POSITIONS, 2)
    assert not torch.equal(found, boxes)
    slack = 1.2 if "mirror" in options or options == {"shift": 4} else 4.0  # corners are cut
    for picture, box in zip(moved, found[:, 0], strict=True):
        rows, columns = picture.any(1).nonzero()[:, 0], picture.any(0).nonzero()[:, 0]
        if box[0] < 0:
            continue
        ink = torch.stack([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).float()
        assert (box[1:] - ink).abs().max() <= slack
        assert (box[1:3] <= ink[:2] + 1.2).all()
        assert (box[3:] >= ink[2:] - 1.2).all()


@pytest.mark.parametrize("options", [*MOVES, {"mirror": True}, {"warp": 3.0}], ids=str)
def test_a_mask_covers_what_it_covered(options: dict[str, float]) -> None:
    change = Augmentation(seed=3, **options)  # type: ignore[arg-type]
    pictures, _ = squares()
    found = followed(change, MASKS, pictures[:, 0] // 255, POSITIONS, 2)
    moved = change(pictures, POSITIONS, 2)[:, 0].float() / 255
    known = found != 255
    assert ((found == 1).float() - moved)[known].abs().mean() < 0.03
    agree = ((found == 1) == (moved > 0.5))[known].float().mean()
    assert agree > 0.98
    assert ((found == 1) & (pictures[:, 0] == 0)).any(), "something moved"


def test_what_comes_from_beyond_the_picture_is_unknown() -> None:
    change = Augmentation(seed=3, shift=6)
    found = followed(change, MASKS, torch.zeros(N, SIDE, SIDE, dtype=torch.uint8), POSITIONS, 1)
    black = change(torch.full((N, 1, SIDE, SIDE), 9, dtype=torch.uint8), POSITIONS, 1)[:, 0] == 0
    assert torch.equal(found == 255, black)
    assert black.any()


@pytest.mark.parametrize("options", MOVES, ids=str)
def test_points_are_where_their_dots_are(options: dict[str, float]) -> None:
    change = Augmentation(seed=5, **options)  # type: ignore[arg-type]
    points = torch.tensor([[14.0, 22.0], [24.0, 18.0]]).expand(N, 2, 2).clone()
    points[0, 1] = torch.nan
    pictures = torch.zeros(N, 1, SIDE, SIDE, dtype=torch.uint8)
    pictures[:, 0, 20:24, 12:16] = 255  # a blob whose centre is the first point
    found = followed(change, DOTS, points, POSITIONS, 2)
    ink = change(pictures, POSITIONS, 2)[:, 0].double()
    at = torch.arange(SIDE) + 0.5
    x = (ink.sum(1) * at).sum(1) / ink.sum((1, 2))
    y = (ink.sum(2) * at).sum(1) / ink.sum((1, 2))
    assert torch.allclose(found[:, 0], torch.stack([x, y], 1).float(), atol=0.35)
    assert found[0, 1].isnan().all()
    assert not found[1:].isnan().any()


def test_a_box_of_which_little_is_left_is_dropped_and_one_that_is_cut_stays_inside() -> None:
    change = Augmentation(seed=3, shift=12)
    edge = torch.tensor([[1.0, 0, 14, 10, 24], [-1, 0, 0, 0, 0]]).expand(400, 2, 5)
    at = torch.arange(400)
    found = followed(change, BOXES, edge, at, 1)
    right = change.affine(SIDE, SIDE, at, 1).x0
    assert isinstance(right, Tensor)
    gone = found[:, 0, 0] == -1
    assert torch.equal(gone, 10 - right.clamp(min=0) < 3)
    assert gone.any()
    assert not gone.all()
    assert (found[:, 0, 1:] >= 0).all()
    assert (found[:, 0, 1:] <= SIDE).all()
    assert (found[:, 1, 0] == -1).all()


def test_other_targets_and_colours_leave_targets_alone() -> None:
    classes = torch.arange(N)
    assert followed(Augmentation(seed=0, shift=3), Labels(), classes, POSITIONS, 1) is classes
    _, boxes = squares()
    assert followed(Augmentation(seed=0, colour=30), BOXES, boxes, POSITIONS, 1) is boxes


@pytest.mark.parametrize(
    ("labels", "option"), [(BOXES, "warp"), (DOTS, "warp"), (DOTS, "mirror")], ids=str
)
def test_what_cannot_be_followed_is_refused(labels: Labels, option: str) -> None:
    with pytest.raises(PipelineError, match=rf"training\.augmentation\.{option}"):
        check_follows(["shift", option], labels)
    check_follows(["shift", "rotation", "crop", "shear", "colour"], labels)
    check_follows([option], Labels())
    check_follows(["warp", "mirror"], MASKS)
