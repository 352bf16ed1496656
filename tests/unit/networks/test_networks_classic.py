"""AlexNet, VGG-16 and Inception: counts, layers and torchvision's names (notes 5.10 and 5.13)."""

from typing import Any

import pytest
import torch
from torch import nn

from gapwise.errors import PipelineError
from gapwise.networks.base import NETWORKS, Branched, count_parameters
from gapwise.networks.describe import described

PUBLISHED = [
    ("alexnet", {}, 61_100_840, 0.714),
    ("vgg16", {}, 138_357_544, 15.47),
    ("inception", {"side_branches": False}, 6_998_552, 1.583),
    ("inception", {}, 13_378_280, 1.583),
]


def on_meta(name: str, shape: tuple[int, ...], outputs: int, **options: Any) -> nn.Module:
    with torch.device("meta"):
        return NETWORKS.get(name)(input_shape=shape, outputs=outputs, **options)


@pytest.mark.parametrize(("name", "options", "parameters", "giga"), PUBLISHED)
def test_numbers_are_the_published_ones(
    name: str, options: dict[str, Any], parameters: int, giga: float
) -> None:
    found = described(NETWORKS.get(name), input_shape=(3, 224, 224), outputs=1000, **options)
    assert found.parameters == parameters
    assert found.macs / 1e9 == pytest.approx(giga, rel=0.001)


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "inception"])
@pytest.mark.parametrize("size", ["published", "small"])
def test_rows_are_refused_by_name(name: str, size: str) -> None:
    with pytest.raises(PipelineError, match=f"network {name} wants images.*multilayer-perceptron"):
        NETWORKS.get(name)(input_shape=(14,), outputs=2, size=size)


@pytest.mark.parametrize(
    ("name", "layer", "smallest"),
    [("alexnet", "pool2", 63), ("vgg16", "pool5", 32), ("inception", "side4a", 79)],
)
def test_images_too_small_for_the_published_size_name_the_layer(
    name: str, layer: str, smallest: int
) -> None:
    said = rf"layer {layer} \(.*size: published.*images of 28×28; .* fits is {smallest}×{smallest}"
    with pytest.raises(PipelineError, match=said):
        on_meta(name, (1, 28, 28), 10)


def convolution(name: str, out: int, planes: int, kernel: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, planes, kernel, kernel), f"{name}.bias": (out,)}


def dense(name: str, out: int, units: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, units), f"{name}.bias": (out,)}


def torchvision_alexnet() -> dict[str, tuple[int, ...]]:
    """torchvision.models.alexnet: ReLU and pooling count in ``features``, dropout behind."""
    return {
        **convolution("features.0", 64, 3, 11),
        **convolution("features.3", 192, 64, 5),
        **convolution("features.6", 384, 192, 3),
        **convolution("features.8", 256, 384, 3),
        **convolution("features.10", 256, 256, 3),
        **dense("classifier.1", 4096, 256 * 6 * 6),
        **dense("classifier.4", 4096, 4096),
        **dense("classifier.6", 1000, 4096),
    }


def torchvision_vgg16() -> dict[str, tuple[int, ...]]:
    """torchvision.models.vgg16, configuration D; ReLU and pooling count in ``features``."""
    shapes: dict[str, tuple[int, ...]] = {}
    place, planes = 0, 3
    for stage in [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]:
        for filters in stage:
            shapes |= convolution(f"features.{place}", filters, planes, 3)
            planes = filters
            place += 2
        place += 1
    return {
        **shapes,
        **dense("classifier.0", 4096, 512 * 7 * 7),
        **dense("classifier.3", 4096, 4096),
        **dense("classifier.6", 1000, 4096),
    }


@pytest.mark.parametrize(
    ("name", "theirs"), [("alexnet", torchvision_alexnet()), ("vgg16", torchvision_vgg16())]
)
def test_torchvisions_names_are_mapped_one_to_one(
    name: str, theirs: dict[str, tuple[int, ...]]
) -> None:
    network = on_meta(name, (3, 224, 224), 1000)
    mapped = {network.from_torchvision(key): shape for key, shape in theirs.items()}
    assert len(mapped) == len(theirs)
    assert mapped == {key: tuple(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.parametrize("name", ["alexnet", "vgg16"])
def test_names_that_torchvision_does_not_have_stay(name: str) -> None:
    for key in ("features.1.weight", "fc.weight", "convolution1", ""):
        assert NETWORKS.get(name).from_torchvision(key) == key


@pytest.mark.parametrize("name", ["alexnet", "vgg16"])
def test_published_weights_fit_any_larger_image(name: str) -> None:
    counts = {count_parameters(on_meta(name, (3, n, n), 1000)) for n in (96, 224, 256)}
    assert len(counts) == 1


@pytest.mark.parametrize(
    ("place", "behind"),
    [
        ("none", ["activation", "Conv2d"]),
        ("before", ["norm", "activation", "Conv2d"]),
        ("after", ["activation", "norm", "Conv2d"]),
    ],
)
def test_vgg_normalises_where_it_is_told(place: str, behind: list[str]) -> None:
    network = on_meta("vgg16", (3, 224, 224), 10, batch_norm=place)
    names = [name for name, _ in network.named_children()][1 : 1 + len(behind)]
    assert [name.removeprefix("convolution1_1_") for name in names[:-1]] == behind[:-1]
    first = network.get_submodule("convolution1_1")
    assert isinstance(first, nn.Conv2d)
    assert (first.bias is None) is (place == "before")


def test_vgg_width_multiplies_the_filters() -> None:
    network = on_meta("vgg16", (3, 32, 32), 10, size="small", width=1.5)
    widths = [m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert widths == [48, 48, 96, 96, 192, 192, 192]


@pytest.mark.parametrize("name", ["alexnet", "vgg16"])
def test_dropout_is_one_number_or_one_a_layer(name: str) -> None:
    network = on_meta(name, (3, 224, 224), 10, dropout=[0.1, 0.2])
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.1, 0.2]
    with pytest.raises(ValueError, match="dropout has 3 numbers, but 2 layers may have some"):
        on_meta(name, (3, 224, 224), 10, dropout=[0.1, 0.2, 0.3])


def of_module(planes: int, one: int, to3: int, three: int, to5: int, five: int, pool: int) -> int:
    """Weights and biases of an inception module, branch by branch."""
    return (
        (planes + 1) * one
        + (planes + 1) * to3 + (9 * to3 + 1) * three
        + (planes + 1) * to5 + (25 * to5 + 1) * five
        + (planes + 1) * pool
    )  # fmt: skip


def test_inception_is_the_sum_of_its_layers() -> None:
    """The sum of the docstring: filters from the paper's table 1, biases included."""
    expected = {
        "convolution1": (3 * 7 * 7 + 1) * 64,
        "convolution2_to": (64 + 1) * 64,
        "convolution2": (64 * 9 + 1) * 192,
        "inception3a": of_module(192, 64, 96, 128, 16, 32, 32),
        "inception3b": of_module(256, 128, 128, 192, 32, 96, 64),
        "inception4a": of_module(480, 192, 96, 208, 16, 48, 64),
        "inception4b": of_module(512, 160, 112, 224, 24, 64, 64),
        "inception4c": of_module(512, 128, 128, 256, 24, 64, 64),
        "inception4d": of_module(512, 112, 144, 288, 32, 64, 64),
        "inception4e": of_module(528, 256, 160, 320, 32, 128, 128),
        "inception5a": of_module(832, 256, 160, 320, 32, 128, 128),
        "inception5b": of_module(832, 384, 192, 384, 48, 128, 128),
        "output": 1025 * 1000,
        "side4a": 513 * 128 + (4 * 4 * 128 + 1) * 1024 + 1025 * 1000,
        "side4d": 529 * 128 + (4 * 4 * 128 + 1) * 1024 + 1025 * 1000,
    }
    network = on_meta("inception", (3, 224, 224), 1000)
    found = {name: count_parameters(unit) for name, unit in network.named_children()}
    assert {name: count for name, count in found.items() if count} == expected
    documented = NETWORKS.get("inception").__doc__ or ""
    for name, count in expected.items():
        assert f"{name} {count:,}" in " ".join(documented.split())
    main = [count for name, count in expected.items() if not name.startswith("side")]
    assert (sum(main), sum(expected.values())) == (6_998_552, 13_378_280)


def test_inception_bottleneck_saves_what_the_notes_say() -> None:
    """Notes 5.13: 120,422,400 multiplications straight, 12,443,648 behind 16 channels."""
    straight = nn.Conv2d(192, 32, 5, padding=2)
    behind = [nn.Conv2d(192, 16, 1), nn.Conv2d(16, 32, 5, padding=2)]
    positions = 28 * 28
    costs = [positions * layer.weight.numel() for layer in (straight, *behind)]
    assert (costs[0], sum(costs[1:])) == (120_422_400, 12_443_648)


def test_side_branches_predict_while_training_alone() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 32, 32)
    network = NETWORKS.get("inception")(
        input_shape=(3, 32, 32), outputs=5, size="small", side_weight=0.2
    )
    given = network(x)
    assert isinstance(given, Branched)
    assert given.main.shape == (2, 5)
    assert [side.shape for side in given.sides] == [(2, 5), (2, 5)]
    assert given.weight == 0.2
    assert network.eval()(x).shape == (2, 5)


def test_without_side_branches_there_are_none() -> None:
    network = NETWORKS.get("inception")(
        input_shape=(1, 28, 28), outputs=5, size="small", side_branches=False
    )
    assert network(torch.randn(2, 1, 28, 28)).shape == (2, 5)
    assert not [name for name, _ in network.named_parameters() if name.startswith("side")]


@pytest.mark.parametrize("place", ["none", "before", "after"])
def test_inception_branches_lie_one_behind_the_other(place: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS.get("inception")(
        input_shape=(3, 32, 32), outputs=5, size="small", batch_norm=place
    )
    unit = network.get_submodule("inception3a").eval()
    x = torch.randn(2, 48, 8, 8)
    y = unit(x)
    assert y.shape == (2, 16 + 32 + 8 + 8, 8, 8)
    first, last = unit.get_submodule("one"), unit.get_submodule("pool")
    assert torch.equal(y[:, :16], first(x))
    assert torch.equal(y[:, -8:], last(x))
    norms = [m for m in unit.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == (0 if place == "none" else 6)
