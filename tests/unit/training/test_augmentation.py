"""What each change of augmentation does to a picture, and that draws belong to the example."""

import numpy as np
import pytest
import torch
from torch import Tensor

from gapwise.errors import PipelineError
from gapwise.pipeline_training import Augmentation as Section
from gapwise.training.augmentation import colours, geometry, warp
from gapwise.training.augmentation.augment import Augmentation, check_augmentation
from gapwise.training.augmentation.draw import Draw

N = 60
SEEDED = torch.Generator().manual_seed(0)
PICTURES = torch.randint(0, 256, (N, 3, 20, 14), dtype=torch.uint8, generator=SEEDED)
POSITIONS = torch.arange(N) * 7 + 2**33
EACH = [
    {"mirror": True},
    {"shift": 3},
    {"crop": 0.4},
    {"rotation": 30.0},
    {"shear": 20.0},
    {"warp": 2.0},
    {"colour": 60.0},
    {"pca_colour": 0.5},
]
ALL = {key: value for options in EACH for key, value in options.items()}


def augmentation(seed: int = 5, **options: object) -> Augmentation:
    components = torch.from_numpy(
        colours.principal_components(PICTURES.numpy(), np.arange(N, dtype=np.int64))
    )
    return Augmentation(seed=seed, components=components, **options)  # type: ignore[arg-type]


def drawn(count: int = 4000) -> Draw:
    return Draw(torch.arange(count), seed=3, epoch=2)


@pytest.mark.parametrize("options", [*EACH, ALL], ids=lambda options: "+".join(options))
def test_an_example_gets_its_picture_in_any_batch_and_order(options: dict[str, object]) -> None:
    augment = augmentation(**options)
    whole = augment(PICTURES, POSITIONS, 2)
    assert whole.shape == PICTURES.shape
    for size in (1, 7, 59):
        cuts = range(0, N, size)
        parts = [augment(PICTURES[i : i + size], POSITIONS[i : i + size], 2) for i in cuts]
        assert torch.equal(whole, torch.cat(parts))
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    assert torch.equal(whole[order], augment(PICTURES[order], POSITIONS[order], 2))


@pytest.mark.parametrize("options", EACH, ids=lambda options: "+".join(options))
def test_seed_epoch_and_example_each_draw_anew(options: dict[str, object]) -> None:
    once = augmentation(**options)(PICTURES, POSITIONS, 2)
    assert torch.equal(once, augmentation(**options)(PICTURES, POSITIONS, 2))
    others = (
        augmentation(seed=6, **options)(PICTURES, POSITIONS, 2),
        augmentation(**options)(PICTURES, POSITIONS, 3),
        augmentation(**options)(PICTURES, POSITIONS + 1, 2),
    )
    for other in others:
        assert (once != other).flatten(1).any(1).float().mean() > 0.3


def test_draws_are_pinned() -> None:
    # Golden: other draws would break the resume of runs that are under way.
    draw = Draw(torch.tensor([0, 1, 2**40]), seed=0, epoch=1)
    assert draw.share("rotation").tolist() == GOLDEN_SHARES
    assert draw.signed_rows("colour", 2).tolist() == GOLDEN_ROWS


GOLDEN_SHARES = [0.7557865977287292, 0.6020936369895935, 0.03998208045959473]
GOLDEN_ROWS = [
    [-0.7661876678466797, 0.4037473201751709],
    [-0.9668951034545898, -0.5209234952926636],
    [0.5830702781677246, 0.15414059162139893],
]


def test_uniform_and_normal_draws_are_what_they_are_called() -> None:
    shares = drawn(100_000).share("any")
    counts = torch.histc(shares, bins=20, min=0, max=1)
    assert (counts / 5000 - 1).abs().max() < 0.06
    assert 0 <= shares.min() < shares.max() < 1
    normal = drawn(50_000).normal_rows("any", 2)
    assert normal.mean(0).abs().max() < 0.015
    assert (normal.std(0) - 1).abs().max() < 0.01
    assert np.corrcoef(normal.T.numpy())[0, 1] == pytest.approx(0, abs=0.015)
    assert (normal.abs() < 1.96).float().mean() == pytest.approx(0.95, abs=0.003)


def test_whole_pixels_move_alike_with_and_without_sampling() -> None:
    moved = augmentation(mirror=True, shift=3)(PICTURES, POSITIONS, 1)
    sampled = augmentation(mirror=True, shift=3)._sampled(PICTURES, Draw(POSITIONS, 5, 1))
    assert moved.dtype == torch.uint8
    assert torch.allclose(moved.float(), sampled, atol=2e-3)


def test_a_window_is_inside_the_picture_and_as_large_as_drawn() -> None:
    draw = drawn()
    affine = geometry.cropped(draw, 0.25, 20, 14)
    corners = torch.tensor([-6.5, 6.5]), torch.tensor([-9.5, 9.5])
    x, y = affine.at(corners[0][None, None, :], corners[1][None, :, None])
    assert x.abs().max() <= 6.5 + 1e-5
    assert y.abs().max() <= 9.5 + 1e-5
    area = (x[:, 0, 1] - x[:, 0, 0]) / 13 * (y[:, 1, 0] - y[:, 0, 0]) / 19
    assert area.min() >= 0.25 - 1e-5
    assert area.mean() == pytest.approx(0.625, abs=0.01)
    assert area.quantile(0.25) == pytest.approx(0.4375, abs=0.02)
    # Any place inside: small windows reach both edges.
    small = area < 0.3
    assert x[small].min() < -6.3
    assert x[small].max() > 6.3


def test_a_crop_darkens_no_border() -> None:
    white = torch.full((200, 1, 9, 12), 255, dtype=torch.uint8)
    cropped = augmentation(crop=0.05)(white, torch.arange(200), 1)
    assert (cropped - 255).abs().max() < 1e-3


def test_a_crop_shows_the_window_enlarged() -> None:
    ramp = torch.arange(21.0).expand(50, 1, 21, 21).contiguous()
    cropped = augmentation(crop=0.2)(ramp, torch.arange(50), 1)[:, 0]
    steps = cropped.diff(dim=2)
    scale = geometry.cropped(Draw(torch.arange(50), 5, 1), 0.2, 21, 21).xu
    assert isinstance(scale, Tensor)
    assert torch.allclose(steps, scale[:, None, None].expand_as(steps), atol=1e-4)


def test_rotation_turns_about_the_centre_without_stretching() -> None:
    affine = geometry.rotated(drawn(), 40)
    u, v = torch.tensor([3.0])[None, None], torch.tensor([4.0])[None, None]
    x, y = (place.flatten() for place in affine.at(u, v))
    assert torch.allclose(x**2 + y**2, torch.full_like(x, 25), atol=1e-4)
    turned = torch.rad2deg(torch.atan2(y, x) - torch.atan2(v, u).flatten())
    assert turned.abs().max() <= 40 + 1e-3
    assert turned.abs().max() > 39.9
    assert turned.mean().abs() < 1
    assert turned.abs().mean() == pytest.approx(20, abs=0.5)


def test_rotation_by_a_right_angle_is_numpys() -> None:
    images = PICTURES[:5, :, :14, :14]
    turn = geometry.Affine(xu=0.0, xv=-1.0, yu=1.0, yv=0.0)
    side = geometry.from_centre(14, torch.device("cpu"))
    turned = geometry.sampled(images, *turn.at(side, side[:, None]))
    expected = np.rot90(images.numpy(), 1, axes=(2, 3))
    assert np.allclose(turned.numpy(), expected, atol=2e-2)


def test_shear_slants_sideways_alone() -> None:
    affine = geometry.sheared(drawn(), 25)
    x, y = affine.at(torch.tensor([2.0])[None, None], torch.tensor([10.0])[None, None])
    angle = torch.rad2deg(torch.atan((x - 2) / 10)).flatten()
    assert (y == 10).all()
    assert angle.abs().max() <= 25 + 1e-3
    assert angle.abs().mean() == pytest.approx(12.5, abs=0.3)


def test_changes_compose_in_the_stated_order() -> None:
    first = geometry.Affine(xu=2.0, x0=1.0)
    then = geometry.Affine(xv=3.0, y0=-2.0)
    u, v = torch.tensor([0.5]), torch.tensor([0.25])
    by_hand = first.at(*then.at(u, v))
    assert torch.equal(torch.stack(first.then(then).at(u, v)), torch.stack(by_hand))
    assert not torch.equal(torch.stack(then.then(first).at(u, v)), torch.stack(by_hand))


def test_all_geometry_is_one_sampling_of_the_composed_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The composed change is that of its parts, traced back one after the other."""
    calls: list[tuple[Tensor, Tensor]] = []
    sample = geometry.sampled

    def spy(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
        calls.append((x, y))
        return sample(images, x, y)

    monkeypatch.setattr(geometry, "sampled", spy)
    augmentation(**ALL)(PICTURES, POSITIONS, 4)
    assert len(calls) == 1
    draw = Draw(POSITIONS, 5, 4)
    right, down = warp.displacements(draw, 2.0, 20, 14)
    x = geometry.from_centre(14, torch.device("cpu")) + right
    y = geometry.from_centre(20, torch.device("cpu"))[:, None] + down
    for change in (
        geometry.shifted(draw, 3),
        geometry.sheared(draw, 20.0),
        geometry.rotated(draw, 30.0),
        geometry.mirrored(draw),
        geometry.cropped(draw, 0.4, 20, 14),
    ):
        x, y = change.at(x, y)
    assert torch.allclose(calls[0][0], x, atol=1e-4)
    assert torch.allclose(calls[0][1], y, atol=1e-4)


def test_zeros_come_in_from_beyond_the_picture() -> None:
    white = torch.full((300, 1, 16, 16), 255, dtype=torch.uint8)
    turned = augmentation(rotation=45.0)(white, torch.arange(300), 1)[:, 0]
    assert turned[:, 4:12, 4:12].min() > 254.9
    assert turned[:, 0, 0].min() == 0


def test_displacements_are_bounded_smooth_and_of_their_size() -> None:
    fields = torch.stack(warp.displacements(drawn(2000), 3.0, 32, 24))
    assert fields.shape == (2, 2000, 32, 24)
    assert fields.abs().max() <= 3
    assert fields.mean().abs() < 0.01
    # A spline through uniform values: their deviation, 1/√3, times Σ w² over its 4 × 4 weights.
    assert fields.std() == pytest.approx(3 / 3**0.5 * 0.479, rel=0.02)
    # Along a side no neighbour differs by more than the steepest spline allows.
    assert fields.diff(dim=2).abs().max() < 2 * 3 * warp.CELLS / 32
    assert fields.diff(dim=3).abs().max() < 2 * 3 * warp.CELLS / 24
    assert np.corrcoef(fields[0].flatten(), fields[1].flatten())[0, 1] == pytest.approx(0, abs=0.03)


def test_a_small_warp_never_folds_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even with the wildest net: every value at one end or the other of what may be drawn."""
    ends = drawn(500).signed_rows("ends", 2 * warp.KNOTS**2).sign()
    monkeypatch.setattr(Draw, "signed_rows", lambda *_: ends)
    side, most = 40, 0.1 * 40
    right, down = warp.displacements(drawn(500), most, side, side)
    x = torch.arange(side) + right
    y = torch.arange(side)[:, None] + down
    across, along = x.diff(dim=2)[:, :-1], x.diff(dim=1)[:, :, :-1]
    falling, sinking = y.diff(dim=2)[:, :-1], y.diff(dim=1)[:, :, :-1]
    assert (across * sinking - along * falling).min() > 0


def test_the_spline_is_a_partition_of_one() -> None:
    for length in (3, 28, 33):
        spline = warp._spline(length, torch.device("cpu"))
        assert torch.allclose(spline.sum(0), torch.ones(length))
        assert (spline >= 0).all()
        assert ((spline > 0).sum(0) <= 4).all()


def test_colour_adds_one_amount_to_each_channel() -> None:
    grey = torch.full((4000, 3, 2, 2), 100, dtype=torch.uint8)
    added = augmentation(colour=50.0)(grey, torch.arange(4000), 1) - 100
    assert (added == added[:, :, :1, :1]).all()
    amounts = added[:, :, 0, 0]
    assert amounts.abs().max() <= 50
    assert amounts.std(0) == pytest.approx(50 / 3**0.5, rel=0.03)
    assert np.abs(np.corrcoef(amounts.T.numpy()) - np.eye(3)).max() < 0.05


def test_colours_stay_in_range() -> None:
    out = augmentation(colour=255.0, pca_colour=10.0)(PICTURES, POSITIONS, 1)
    assert out.dtype == torch.float32
    assert out.min() == 0
    assert out.max() == 255


def test_principal_colours_are_those_of_the_covariance() -> None:
    pixels = PICTURES.numpy().transpose(1, 0, 2, 3).reshape(3, -1) / 255
    components = colours.principal_components(PICTURES.numpy(), np.arange(N, dtype=np.int64)) / 255
    values = np.linalg.norm(components, axis=0)
    covariance = (components / values) @ np.diag(values) @ (components / values).T
    assert np.allclose(covariance, np.cov(pixels, bias=True), atol=1e-6)
    largest = np.abs(components).argmax(axis=0)
    assert (components[largest, np.arange(3)] > 0).all()


def test_principal_colours_come_from_train_alone_whatever_its_order() -> None:
    inputs = PICTURES.numpy()
    train = np.arange(0, N, 2, dtype=np.int64)
    changed = inputs.copy()
    changed[1::2] = 0
    once = colours.principal_components(inputs, train)
    assert np.array_equal(once, colours.principal_components(changed, train))
    assert not np.allclose(once, colours.principal_components(inputs, train + 1))


def test_of_a_large_set_the_same_sample_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colours, "SAMPLE", 10)
    monkeypatch.setattr(colours, "PIXELS", 70)
    train = np.arange(N, dtype=np.int64)
    looked: list[int] = []

    class Watched:
        shape = PICTURES.shape

        def __getitem__(self, chosen: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> object:
            looked.extend(chosen.tolist())
            return PICTURES.numpy()[chosen]

    few = colours.principal_components(Watched(), train)  # type: ignore[arg-type]
    assert len(set(looked)) == len(looked) == 10
    by_hand = colours.principal_components(
        np.ascontiguousarray(PICTURES.numpy()[sorted(looked)][:, :, ::2, ::2]),
        np.arange(10, dtype=np.int64),
    )
    assert np.array_equal(few, by_hand)


def test_pca_colour_moves_along_the_principal_colours_by_their_eigenvalues() -> None:
    components = torch.tensor([[30.0, 0.0, 0.0], [30.0, 5.0, 0.0], [30.0, -5.0, 0.0]])
    amounts = colours.principal_amounts(drawn(20_000), 0.1, components)
    alphas = amounts[:, 0] / 30
    assert alphas.std() == pytest.approx(0.1, rel=0.02)
    assert torch.allclose(amounts[:, 1] + amounts[:, 2], 2 * amounts[:, 0], atol=1e-4)
    assert (amounts[:, 1] - amounts[:, 2]).std() == pytest.approx(1.0, rel=0.02)


def test_a_grey_picture_gets_brighter_or_darker() -> None:
    grey = PICTURES[:, :1]
    found = colours.principal_components(grey.numpy(), np.arange(N, dtype=np.int64))
    assert found.shape == (1, 1)
    assert found[0, 0] / 255 == pytest.approx((grey.float() / 255).var().item(), rel=1e-3)
    flat = torch.full((9, 1, 4, 4), 128, dtype=torch.uint8)
    augment = Augmentation(seed=0, pca_colour=0.5, components=torch.from_numpy(found))
    added = augment(flat, torch.arange(9), 1) - 128
    assert (added.flatten(1).std(1) == 0).all()
    assert (added > 0).any()
    assert (added < 0).any()


OFF = Section().model_dump()


@pytest.mark.parametrize("options", EACH, ids=lambda options: "+".join(options))
def test_rows_of_features_are_refused(options: dict[str, object]) -> None:
    name, value = next(iter(options.items()))
    says = rf"training\.augmentation\.{name} is {value}, but .* rows of 64 features"
    with pytest.raises(PipelineError, match=says):
        check_augmentation(OFF | options, (64,))
    check_augmentation(OFF, (64,))
    check_augmentation(OFF | options, (1, 20, 20))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"shift": 8}, r"shift is 8 pixels, .* pictures of 8×12; set less than 8"),
        ({"warp": 2.0}, r"warp is 2\.0 pixels, .* pictures of 8×12; set less than 2"),
    ],
)
def test_what_leaves_nothing_of_a_picture_is_refused(options: dict[str, int], says: str) -> None:
    with pytest.raises(PipelineError, match=says):
        check_augmentation(OFF | options, (3, 8, 12))
