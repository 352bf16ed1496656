"""torchvision's names of the weights of MobileNet v2 and EfficientNet (notes 5.14 and 5.15)."""

from collections.abc import Iterator
from math import ceil
from typing import Any

import pytest
import torch
from torch import nn

from gapwise.networks.base import NETWORKS
from gapwise.networks.pretrained import to_ours

Shapes = dict[str, tuple[int, ...]]


def on_meta(name: str, shape: tuple[int, ...], outputs: int, **options: Any) -> nn.Module:
    with torch.device("meta"):
        return NETWORKS.get(name)(input_shape=shape, outputs=outputs, **options)


def norm(name: str, planes: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (planes,)
    yield f"{name}.num_batches_tracked", ()


def normed(name: str, planes: int, inner: int, kernel: int) -> Shapes:
    """torchvision's Conv2dNormActivation, of ``inner`` channels a group."""
    weight = {f"{name}.0.weight": (planes, inner, kernel, kernel)}
    return {**weight, **dict(norm(f"{name}.1", planes))}


def torchvision_mobilenet_v2() -> Shapes:
    """torchvision.models.mobilenet_v2: the settings (t, c, n, s) of the paper's table 2."""
    shapes = normed("features.0", 32, 3, 3)
    planes, number = 32, 1
    for t, c, n, _ in [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
        (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]:  # fmt: skip
        for _ in range(n):
            place, wide = f"features.{number}.conv", t * planes
            if t != 1:
                shapes |= normed(f"{place}.0", wide, planes, 1)
            depthwise = int(t != 1)
            shapes |= normed(f"{place}.{depthwise}", wide, 1, 3)
            shapes[f"{place}.{depthwise + 1}.weight"] = (c, wide, 1, 1)
            shapes |= dict(norm(f"{place}.{depthwise + 2}", c))
            planes, number = c, number + 1
    shapes |= normed("features.18", 1280, 320, 1)
    return shapes | {"classifier.1.weight": (1000, 1280), "classifier.1.bias": (1000,)}


def torchvision_efficientnet(width: float, depth: float) -> Shapes:
    """torchvision.models.efficientnet: MBConv settings of B0, scaled as there."""

    def planes_of(filters: int) -> int:
        new = max(8, int(width * filters + 4) // 8 * 8)
        return new + 8 if new < 0.9 * width * filters else new

    planes = planes_of(32)
    shapes = normed("features.0", planes, 3, 3)
    settings = [
        (1, 3, 16, 1), (6, 3, 24, 2), (6, 5, 40, 2), (6, 3, 80, 3),
        (6, 5, 112, 3), (6, 5, 192, 4), (6, 3, 320, 1),
    ]  # fmt: skip
    for stage, (expansion, kernel, filters, repeats) in enumerate(settings, start=1):
        for i in range(ceil(repeats * depth)):
            place, wide, squeezed = f"features.{stage}.{i}.block", expansion * planes, planes // 4
            part = 0
            if expansion > 1:
                shapes |= normed(f"{place}.0", wide, planes, 1)
                part = 1
            shapes |= normed(f"{place}.{part}", wide, 1, kernel)
            shapes[f"{place}.{part + 1}.fc1.weight"] = (squeezed, wide, 1, 1)
            shapes[f"{place}.{part + 1}.fc1.bias"] = (squeezed,)
            shapes[f"{place}.{part + 1}.fc2.weight"] = (wide, squeezed, 1, 1)
            shapes[f"{place}.{part + 1}.fc2.bias"] = (wide,)
            planes = planes_of(filters)
            shapes |= normed(f"{place}.{part + 2}", planes, wide, 1)
    shapes |= normed("features.8", 4 * planes, planes, 1)
    return shapes | {"classifier.1.weight": (1000, 4 * planes), "classifier.1.bias": (1000,)}


@pytest.mark.parametrize(
    ("name", "options", "theirs", "keys"),
    [
        ("mobilenet-v2", {}, torchvision_mobilenet_v2(), 314),
        ("efficientnet", {"size": "b0"}, torchvision_efficientnet(1.0, 1.0), 360),
        ("efficientnet", {"size": "b1"}, torchvision_efficientnet(1.0, 1.1), 508),
        ("efficientnet", {"size": "b2"}, torchvision_efficientnet(1.1, 1.2), 508),
        ("efficientnet", {"size": "b3"}, torchvision_efficientnet(1.2, 1.4), 574),
        ("efficientnet", {"size": "b4"}, torchvision_efficientnet(1.4, 1.8), 706),
        ("efficientnet", {"size": "b5"}, torchvision_efficientnet(1.6, 2.2), 854),
        ("efficientnet", {"size": "b6"}, torchvision_efficientnet(1.8, 2.6), 986),
        ("efficientnet", {"size": "b7"}, torchvision_efficientnet(2.0, 3.1), 1200),
    ],
    ids=lambda part: None if isinstance(part, dict) and len(part) > 1 else str(part),
)
def test_torchvisions_names_are_mapped_one_to_one(
    name: str, options: dict[str, Any], theirs: Shapes, keys: int
) -> None:
    network = on_meta(name, (3, 224, 224), 1000, **options)
    assert len(theirs) == keys
    state = {key: torch.empty(shape, device="meta") for key, shape in theirs.items()}
    mapped = {key: tuple(value.shape) for key, value in to_ours(name, state).items()}
    assert mapped == {key: tuple(value.shape) for key, value in network.state_dict().items()}


def test_mapped_names_stand_at_the_same_place() -> None:
    """A shape alone would not tell a block from its twin: both lists run from input to output."""
    network = on_meta("efficientnet", (3, 224, 224), 1000, size="b7")
    theirs = torchvision_efficientnet(2.0, 3.1)
    assert [network.from_torchvision(key) for key in theirs] == list(network.state_dict())
    network = on_meta("mobilenet-v2", (3, 224, 224), 1000)
    theirs = torchvision_mobilenet_v2()
    assert [network.from_torchvision(key) for key in theirs] == list(network.state_dict())


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("mobilenet-v2", ["features.19.conv.0.0.weight", "features.1.conv.3.weight",
                          "features.2.conv.2.0.weight", "classifier.0.weight", "stem.weight", ""]),
        ("efficientnet", ["features.8.0.block.0.0.weight", "features.1.0.block.3.0.weight",
                          "features.2.0.block.0.fc1.weight", "features.9.0.weight",
                          "blocks.0.0.main.depthwise.weight", ""]),
    ],
)  # fmt: skip
def test_names_that_torchvision_does_not_have_stay(name: str, keys: list[str]) -> None:
    for key in keys:
        assert NETWORKS.get(name).from_torchvision(key) == key


def test_large_efficientnets_have_the_norms_that_their_weights_were_learned_with() -> None:
    for size, eps, momentum in (("b4", 1e-5, 0.1), ("b5", 1e-3, 0.01), ("b7", 1e-3, 0.01)):
        network = on_meta("efficientnet", (3, 32, 32), 2, size=size)
        norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        assert {(m.eps, m.momentum) for m in norms} == {(eps, momentum)}
