"""EfficientNet: compound scaling, excitation, stochastic depth (notes 5.15)."""

from typing import Any

import pytest
import torch
from torch import nn

from gapwise.networks._inverted import Excitation, InvertedResidual, Stage, StochasticDepth, Style
from gapwise.networks.base import NETWORKS
from gapwise.networks.describe import described


def on_meta(name: str, shape: tuple[int, ...], outputs: int, **options: Any) -> nn.Module:
    with torch.device("meta"):
        return NETWORKS.get(name)(input_shape=shape, outputs=outputs, **options)


EFFICIENT = [
    ("b0", 224, 5_288_548, 0.386, 16),
    ("b1", 240, 7_794_184, 0.687, 23),
    ("b2", 288, 9_109_994, 1.088, 23),  # where torchvision measures its cost
    ("b3", 300, 12_233_232, 1.827, 26),
    ("b4", 380, 19_341_616, 4.394, 32),
    ("b5", 456, 30_389_784, 10.266, 39),
    ("b6", 528, 43_040_704, 19.068, 45),
    ("b7", 600, 66_347_960, 37.746, 55),
]


@pytest.mark.parametrize(("size", "resolution", "parameters", "giga", "blocks"), EFFICIENT)
def test_compound_scaling_gives_the_published_numbers(
    size: str, resolution: int, parameters: int, giga: float, blocks: int
) -> None:
    made = NETWORKS.get("efficientnet")
    shape = (3, resolution, resolution)
    found = described(made, input_shape=shape, outputs=1000, size=size)
    assert found.parameters == parameters
    assert found.macs / 1e9 == pytest.approx(giga, rel=0.001)
    assert sum(row.kind == "inverted residual" for row in found.layers) == blocks


def test_documented_table_is_what_is_published() -> None:
    made = NETWORKS.get("efficientnet")
    rows = [line.split() for line in (made.__doc__ or "").splitlines()]
    told = {row[0]: row[3:] for row in rows if len(row) == 6 and row[0].startswith("b")}
    entries = [entry for entry in made.published if entry.options["size"] != "small"]
    assert told == {
        str(entry.options["size"]): [
            str(entry.input_shape[1]),
            f"{entry.parameters:,}",
            f"{entry.macs / 1e9:.3f}",
        ]
        for entry in entries
    }
    assert len(told) == 8


@pytest.mark.parametrize(
    ("size", "width", "depth"), [("b1", 1.0, 1.1), ("b4", 1.4, 1.8), ("b7", 2.0, 3.1)]
)
def test_every_size_is_b0_scaled(size: str, width: float, depth: float) -> None:
    scaled = on_meta("efficientnet", (3, 32, 32), 1000, width=width, depth=depth)
    published = on_meta("efficientnet", (3, 32, 32), 1000, size=size)
    shapes = [
        {key: value.shape for key, value in network.state_dict().items()}
        for network in (scaled, published)
    ]
    assert shapes[0] == shapes[1]


def test_efficientnets_drop_what_their_size_says() -> None:
    for size, share in (("b0", 0.2), ("b3", 0.3), ("b5", 0.4), ("b7", 0.5)):
        dropout = on_meta("efficientnet", (3, 32, 32), 2, size=size).get_submodule("dropout")
        assert isinstance(dropout, nn.Dropout)
        assert dropout.p == share
    own = on_meta("efficientnet", (3, 32, 32), 2, size="b7", dropout=0.0).get_submodule("dropout")
    assert isinstance(own, nn.Dropout)
    assert own.p == 0


def test_excitation_weighs_each_channel_by_the_means_of_all() -> None:
    torch.manual_seed(0)
    unit = Excitation(6, 2)
    x = torch.randn(3, 6, 5, 4)
    weights = unit(x) / x
    assert torch.allclose(weights, weights[:, :, :1, :1].expand_as(x), atol=1e-5)
    assert ((weights > 0) & (weights < 1)).all()
    # Where the pixels lie does not matter, only their mean.
    mixed = x.flatten(2)[:, :, torch.randperm(20)].view_as(x)
    assert torch.allclose(unit(mixed)[:, :, 0, 0] / mixed[:, :, 0, 0], weights[:, :, 0, 0])


def test_excitation_squeezes_to_a_quarter_of_what_comes_in() -> None:
    network = on_meta("efficientnet", (3, 224, 224), 1000)
    block = network.get_submodule("blocks.1.0")
    squeeze = block.get_submodule("main.excitation.squeeze")
    assert isinstance(squeeze, nn.Conv2d)
    assert (squeeze.in_channels, squeeze.out_channels) == (96, 4)


def test_stochastic_depth_drops_whole_examples_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    unit = StochasticDepth(0.25)
    x = torch.ones(4000, 2, 3, 3)
    y = unit(x)
    rows = y.flatten(1)
    assert torch.equal(rows, rows[:, :1].expand_as(rows))
    assert rows[:, 0].unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert y.mean().item() == pytest.approx(1, abs=0.03)
    assert torch.equal(unit.eval()(x), x)


def test_dropped_block_is_its_input() -> None:
    torch.manual_seed(0)
    block = InvertedResidual(8, Stage(2, 8, 1, 1), 1, Style(nn.SiLU, excited=True), drop=0.5)
    x = torch.randn(64, 8, 4, 4)
    same = (block(x) == x).flatten(1).all(1)
    assert 10 < same.sum() < 54


def test_later_blocks_are_dropped_more_often() -> None:
    network = on_meta("efficientnet", (3, 224, 224), 1000, stochastic_depth=0.32)
    found: dict[int, float] = {}
    blocks = [m for m in network.modules() if isinstance(m, InvertedResidual)]
    for number, block in enumerate(blocks):
        last = block.main[-1]
        if isinstance(last, StochasticDepth):
            found[number] = last.p
    # What is not residual has nothing to fall back on.
    assert len(found) == 9
    assert all(p == pytest.approx(0.32 * number / 16) for number, p in found.items())
    none = on_meta("efficientnet", (3, 224, 224), 1000, stochastic_depth=0.0)
    assert not any(isinstance(m, StochasticDepth) for m in none.modules())


def test_the_generator_decides_what_is_dropped() -> None:
    given = {"input_shape": (3, 16, 16), "outputs": 10, "size": "small"}
    network = NETWORKS.get("efficientnet")(**given, stochastic_depth=0.8)
    x = torch.randn(16, 3, 16, 16)
    outputs = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        outputs.append(network(x))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
