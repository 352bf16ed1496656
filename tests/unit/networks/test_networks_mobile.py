"""MobileNets and what EfficientNet shares with them: counts, blocks, rounding (notes 5.14)."""

from typing import Any

import pytest
import torch
from torch import nn

from gapwise.errors import PipelineError
from gapwise.networks._inverted import InvertedResidual, rounded
from gapwise.networks.base import NETWORKS, count_parameters, layers
from gapwise.networks.describe import described

MOBILE = ["mobilenet-v1", "mobilenet-v2", "efficientnet"]


def on_meta(name: str, shape: tuple[int, ...], outputs: int, **options: Any) -> nn.Module:
    with torch.device("meta"):
        return NETWORKS.get(name)(input_shape=shape, outputs=outputs, **options)


def small(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return NETWORKS.get(name)(input_shape=(3, 32, 32), outputs=10, size="small", **options)


@pytest.mark.parametrize(
    ("name", "options", "parameters", "giga"),
    [
        ("mobilenet-v1", {}, 4_231_976, 0.569),
        ("mobilenet-v1", {"width": 0.75}, 2_585_560, 0.325),
        ("mobilenet-v1", {"width": 0.5}, 1_331_592, 0.149),
        ("mobilenet-v1", {"width": 0.25}, 470_072, 0.041),
        ("mobilenet-v2", {}, 3_504_872, 0.301),
        ("mobilenet-v2", {"width": 1.4}, 6_108_776, 0.582),
        ("mobilenet-v2", {"width": 0.75}, 2_636_424, 0.209),
        ("mobilenet-v2", {"width": 0.5}, 1_968_680, 0.097),
        ("mobilenet-v2", {"width": 0.35}, 1_677_128, 0.059),
    ],
)
def test_mobilenets_have_the_published_numbers_at_every_width(
    name: str, options: dict[str, Any], parameters: int, giga: float
) -> None:
    """Costs are those of table 6 of the first paper and of the authors' list for the second."""
    found = described(NETWORKS.get(name), input_shape=(3, 224, 224), outputs=1000, **options)
    assert found.parameters == parameters
    assert found.macs / 1e9 == pytest.approx(giga, rel=0.01)


@pytest.mark.parametrize(("name", "residual"), [("mobilenet-v2", 10), ("efficientnet", 9)], ids=str)
def test_input_is_added_where_it_has_the_shape(name: str, residual: int) -> None:
    network = on_meta(name, (3, 224, 224), 1000)
    blocks = [m for m in network.modules() if isinstance(m, InvertedResidual)]
    assert sum(block.shortcut is not None for block in blocks) == residual
    for block in blocks:
        depthwise = block.main.get_submodule("depthwise")
        project = block.main.get_submodule("project")
        assert isinstance(depthwise, nn.Conv2d)
        assert isinstance(project, nn.Conv2d)
        first = next(m for m in block.main.modules() if isinstance(m, nn.Conv2d))
        same = first.in_channels == project.out_channels and depthwise.stride == (1, 1)
        assert (block.shortcut is not None) is same
        assert depthwise.groups == depthwise.in_channels == depthwise.out_channels


def test_v1_has_thirteen_separable_convolutions_whose_cost_is_pointwise() -> None:
    """Table 2 of the paper: 94.86 % of the products in 1×1 convolutions, 3.06 % depthwise."""
    found = described(NETWORKS.get("mobilenet-v1"), input_shape=(3, 224, 224), outputs=1000)
    costs = {
        kind: [row.macs for row in found.layers if row.name.startswith(kind) and row.macs]
        for kind in ("depthwise", "pointwise")
    }
    assert [len(rows) for rows in costs.values()] == [13, 13]
    assert sum(costs["pointwise"]) / found.macs == pytest.approx(0.9486, abs=5e-4)
    assert sum(costs["depthwise"]) / found.macs == pytest.approx(0.0306, abs=5e-4)


def test_v1_separable_layers_cost_what_the_notes_say() -> None:
    """1/n + 1/f² of the normal convolution of the same maps (5.14)."""
    rows = described(NETWORKS.get("mobilenet-v1"), input_shape=(3, 224, 224), outputs=1000).layers
    cost = {row.name: row.macs for row in rows}
    height, n, planes = 14, 512, 512
    normal = height**2 * n * planes * 9
    separable = cost["depthwise8"] + cost["pointwise8"]
    assert separable / normal == pytest.approx(1 / n + 1 / 9)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [(1, 8), (8, 8), (11.2, 16), (12, 16), (22.4, 24), (33.6, 32), (35.2, 32), (36, 40), (44, 48),
     (320 * 1.1, 352), (24 * 0.35, 8), (32 * 1.4, 48), (18, 24)],
)  # fmt: skip
def test_filters_are_multiples_of_eight_never_a_tenth_less(filters: float, expected: int) -> None:
    assert rounded(filters) == expected


def test_no_rounding_loses_more_than_a_tenth() -> None:
    for tenths in range(80, 4000):
        made = rounded(tenths / 10)
        assert made % 8 == 0
        assert tenths * 0.9 <= made * 10 < tenths + 80


def test_narrow_v2_keeps_its_last_convolution() -> None:
    for width, last in ((0.5, 1280), (1.0, 1280), (1.4, 1792)):
        network = on_meta("mobilenet-v2", (3, 224, 224), 10, width=width)
        output = network.get_submodule("output")
        assert isinstance(output, nn.Linear)
        assert output.in_features == last


@pytest.mark.parametrize("name", MOBILE)
def test_width_and_depth_of_nothing_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="width must be above 0"):
        on_meta(name, (3, 32, 32), 10, width=0.0)
    if name == "efficientnet":
        with pytest.raises(ValueError, match="depth must be above 0"):
            on_meta(name, (3, 32, 32), 10, depth=0.0)


@pytest.mark.parametrize("name", MOBILE)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
def test_small_siblings_keep_a_map_and_are_small(name: str, shape: tuple[int, ...]) -> None:
    """A quarter of VGG's arithmetic at most, and 4×4 positions behind the last block."""
    found = described(NETWORKS.get(name), input_shape=shape, outputs=10, size="small")
    assert found.macs < 12e6
    assert found.parameters < 300_000
    maps = [row.output_shape for row in found.layers if len(row.output_shape) == 3]
    assert maps[-2][1:] == (4, 4)


@pytest.mark.parametrize("name", MOBILE)
def test_rows_are_refused_by_name(name: str) -> None:
    with pytest.raises(PipelineError, match=f"network {name} wants images.*multilayer-perceptron"):
        NETWORKS.get(name)(input_shape=(14,), outputs=2)


@pytest.mark.parametrize("name", MOBILE)
def test_dropout_acts_in_training_alone(name: str) -> None:
    depth = {"stochastic_depth": 0.0} if name == "efficientnet" else {}
    network = small(name, dropout=0.5, **depth)
    x = torch.randn(4, 3, 32, 32)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


@pytest.mark.parametrize("name", ["mobilenet-v2", "efficientnet"])
def test_writing_over_inner_results_changes_no_gradient(name: str) -> None:
    network = small(name)
    x = torch.randn(4, 3, 32, 32)
    found = gradients(network, x)
    for module in network.modules():
        if isinstance(module, InvertedResidual):
            module.forward = plainly(module)  # type: ignore[method-assign]
    expected = gradients(network, x)
    assert len(found) == len(expected) > 0
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def gradients(network: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    network.zero_grad()
    torch.manual_seed(5)
    network(x).square().sum().backward()
    return [w.grad.clone() for w in network.parameters() if w.grad is not None]


def plainly(block: InvertedResidual) -> Any:
    def forward(x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = block.main(x)
        return y if block.shortcut is None else y + x

    return forward


@pytest.mark.parametrize("name", MOBILE)
def test_small_siblings_learn_to_tell_pictures_apart(name: str) -> None:
    """Bright left or right halves, under noise: 25 steps are enough for images not seen."""
    network = small(name)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    for _ in range(25):
        optimizer.zero_grad()
        x, y = halves(24)
        nn.functional.cross_entropy(network(x), y).backward()
        optimizer.step()
    x, y = halves(200)
    with torch.no_grad():
        right = (network.eval()(x).argmax(1) == y).float().mean().item()
    assert right > 0.9


def halves(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    y = torch.randint(2, (count,))
    x = torch.randn(count, 3, 16, 16)
    x[..., :8] += 2 - 2 * y[:, None, None, None]
    x[..., 8:] += 2 * y[:, None, None, None]
    return x, y


@pytest.mark.parametrize("name", MOBILE)
def test_units_are_named_from_input_to_output(name: str) -> None:
    names = [unit for unit, _ in layers(on_meta(name, (3, 224, 224), 1000))]
    assert names[0] in {"stem", "convolution"}
    assert names[-1] == "output"
    assert count_parameters(on_meta(name, (3, 64, 64), 1000)) == count_parameters(
        on_meta(name, (3, 224, 224), 1000)
    )
