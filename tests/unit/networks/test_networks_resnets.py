"""Residual networks: counts, shortcuts, plain twins and torchvision's names (notes 5.11)."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from gapwise.errors import PipelineError
from gapwise.networks._residual import Block, PaddedShortcut
from gapwise.networks.base import NETWORKS, count_parameters
from gapwise.networks.describe import described

Shapes = dict[str, tuple[int, ...]]


def on_meta(name: str, shape: tuple[int, ...], outputs: int, **options: Any) -> nn.Module:
    with torch.device("meta"):
        return NETWORKS.get(name)(input_shape=shape, outputs=outputs, **options)


@pytest.mark.parametrize(
    ("name", "parameters", "giga"),
    [("resnet18", 11_689_512, 1.814), ("resnet50", 25_557_032, 4.089)],
)
def test_large_networks_have_the_published_numbers(name: str, parameters: int, giga: float) -> None:
    found = described(NETWORKS.get(name), input_shape=(3, 224, 224), outputs=1000)
    assert found.parameters == parameters
    assert found.macs / 1e9 == pytest.approx(giga, rel=0.001)


@pytest.mark.parametrize(
    ("name", "shortcut", "parameters"),
    [
        ("resnet20", "pad", 269_722),
        ("resnet20", "projection", 272_474),
        ("resnet20", "none", 269_722),
        ("resnet56", "pad", 853_018),
        ("resnet56", "projection", 855_770),
        ("resnet56", "none", 853_018),
    ],
)
def test_small_image_networks_have_the_published_counts(
    name: str, shortcut: str, parameters: int
) -> None:
    assert count_parameters(on_meta(name, (3, 32, 32), 10, shortcut=shortcut)) == parameters


def test_count_of_56_layers_is_that_of_20_and_18_blocks() -> None:
    more = sum(6 * (2 * 9 * w * w + 4 * w) for w in (16, 32, 64))
    assert 269_722 + more == 853_018


@pytest.mark.parametrize(("name", "layers"), [("resnet20", 20), ("resnet56", 56)])
@pytest.mark.parametrize("shortcut", ["pad", "none"])
def test_layers_are_as_many_as_the_name_says(name: str, layers: int, shortcut: str) -> None:
    network = on_meta(name, (3, 32, 32), 10, shortcut=shortcut)
    weighted = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(weighted) == layers


@pytest.mark.parametrize(("name", "layers"), [("resnet18", 18), ("resnet50", 50)])
@pytest.mark.parametrize("size", ["published", "small"])
def test_large_networks_have_the_layers_of_their_name(name: str, layers: int, size: str) -> None:
    network = on_meta(name, (3, 32, 32), 10, size=size)
    blocks = [m for m in network.modules() if isinstance(m, Block)]
    inside = sum(isinstance(m, nn.Conv2d) for block in blocks for m in block.main)
    assert inside + 2 == layers


def test_padded_shortcut_is_every_second_pixel_between_zeros() -> None:
    x = torch.randn(2, 4, 7, 6, requires_grad=True)
    y = PaddedShortcut(5, 2)(x)
    assert y.shape == (2, 9, 4, 3)
    assert torch.equal(y[:, 2:6], x[:, :, ::2, ::2])
    assert not y[:, :2].any()
    assert not y[:, 6:].any()
    y.sum().backward()
    expected = torch.zeros_like(x)
    expected[:, :, ::2, ::2] = 1
    assert x.grad is not None
    assert torch.equal(x.grad, expected)


def quiet(network: nn.Module) -> None:
    """Let every block's layers give 0, as strong weight decay would."""
    for block in network.modules():
        if isinstance(block, Block):
            last = block.main[-1]
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)


@pytest.mark.parametrize(("shortcut", "passes"), [("pad", True), ("none", False)])
def test_block_that_gives_nothing_is_the_identity_only_with_shortcuts(
    shortcut: str, passes: bool
) -> None:
    """The notes' reason why residual networks work: a[l+2] = g(a[l]) when W and b are 0."""
    torch.manual_seed(0)
    network = NETWORKS.get("resnet20")(input_shape=(3, 32, 32), outputs=10, shortcut=shortcut)
    quiet(network)
    network.eval()
    stem, blocks = network.get_submodule("stem"), network.get_submodule("blocks")
    with torch.no_grad():
        x = stem(torch.randn(2, 3, 32, 32))
        y = blocks(x)
    assert bool(y.any()) is passes
    if passes:
        # Zeros for half of the new channels on either side, at each of the two padded stages.
        assert torch.equal(y[:, 24:40], x[:, :, ::4, ::4])


def gradient_spread(shortcut: str) -> float:
    """How many times the largest gradient of a convolution is the smallest, before training."""
    torch.manual_seed(0)
    network = NETWORKS.get("resnet56")(input_shape=(3, 8, 8), outputs=10, shortcut=shortcut)
    x, y = torch.randn(32, 3, 8, 8), torch.randint(10, (32,))
    nn.functional.cross_entropy(network(x), y).backward()
    norms = [m.weight.grad.norm().item() for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(norms) == 55
    return max(norms) / min(norms)


def test_shortcuts_keep_the_gradients_of_56_layers_alike() -> None:
    assert gradient_spread("pad") < 30
    assert gradient_spread("none") > 300


@pytest.mark.parametrize("name", ["resnet18", "resnet20", "resnet50", "resnet56"])
def test_writing_over_inner_results_changes_no_gradient(name: str) -> None:
    options = {"size": "small"} if name in ("resnet18", "resnet50") else {}
    torch.manual_seed(0)
    network = NETWORKS.get(name)(input_shape=(1, 8, 8), outputs=3, **options)
    x = torch.randn(4, 1, 8, 8)
    network(x).square().sum().backward()
    found = [w.grad.clone() for w in network.parameters() if w.grad is not None]
    network.zero_grad()
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
        if isinstance(module, Block):
            module.forward = _plainly(module)  # type: ignore[method-assign]
    network(x).square().sum().backward()
    expected = [w.grad for w in network.parameters() if w.grad is not None]
    assert len(found) == len(expected) > 0
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def _plainly(block: Block) -> Any:
    def forward(x: torch.Tensor) -> torch.Tensor:
        shortcut = block.shortcut(x) if block.shortcut else 0
        y: torch.Tensor = block.after(block.main(x) + shortcut) if block.after else x
        return y

    return forward


def norm(name: str, planes: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (planes,)
    yield f"{name}.num_batches_tracked", ()


def torchvision_resnet(counts: tuple[int, ...], kernels: tuple[int, ...]) -> Shapes:
    """Write out torchvision's state dict by the rule of its names (torchvision.models.resnet)."""
    shapes: Shapes = {"conv1.weight": (64, 3, 7, 7), **dict(norm("bn1", 64))}
    expansion = 4 if len(kernels) == 3 else 1
    planes_in = 64
    for stage, count in enumerate(counts):
        planes = 64 * 2**stage
        for block in range(count):
            place, before = f"layer{stage + 1}.{block}", planes_in
            for i, kernel in enumerate(kernels):
                out = planes * (expansion if i == len(kernels) - 1 else 1)
                shapes[f"{place}.conv{i + 1}.weight"] = (out, before, kernel, kernel)
                shapes |= dict(norm(f"{place}.bn{i + 1}", out))
                before = out
            if planes_in != before:
                shapes[f"{place}.downsample.0.weight"] = (before, planes_in, 1, 1)
                shapes |= dict(norm(f"{place}.downsample.1", before))
            planes_in = before
    return shapes | {"fc.weight": (1000, planes_in), "fc.bias": (1000,)}


@pytest.mark.parametrize(
    ("name", "counts", "kernels", "keys"),
    [("resnet18", (2, 2, 2, 2), (3, 3), 122), ("resnet50", (3, 4, 6, 3), (1, 3, 1), 320)],
)
def test_torchvisions_names_are_mapped_one_to_one(
    name: str, counts: tuple[int, ...], kernels: tuple[int, ...], keys: int
) -> None:
    network = on_meta(name, (3, 224, 224), 1000)
    theirs = torchvision_resnet(counts, kernels)
    assert len(theirs) == keys
    mapped = {network.from_torchvision(key): shape for key, shape in theirs.items()}
    assert mapped == {key: tuple(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.parametrize("key", ["layer5.0.conv1.weight", "backbone.conv1.weight", "layer1.conv1"])
def test_foreign_names_stay_as_they_are(key: str) -> None:
    assert NETWORKS.get("resnet18").from_torchvision(key) == key


@pytest.mark.parametrize("name", ["resnet18", "resnet20", "resnet50", "resnet56"])
def test_rows_are_refused_by_name(name: str) -> None:
    with pytest.raises(PipelineError, match=f"network {name} wants images.*multilayer-perceptron"):
        NETWORKS.get(name)(input_shape=(14,), outputs=2)
