"""The blocks that networks are drawn as, against the networks themselves."""

import pytest
import torch
from torch import Tensor, nn

from gapwise.errors import UsageError
from gapwise.networks.base import Chain
from gapwise.networks.describe import describe
from gapwise.workflows import architecture
from gapwise.workflows.network_blocks import blocks, joins

Row = tuple[str, tuple[int, ...], int, str]


def rows(name: str) -> list[Row]:
    made = architecture.of_size(name).blocks
    return [(block.label, block.shape, block.repeat, block.joins) for block in made]


def test_resnet50_is_drawn_as_in_its_paper() -> None:
    assert rows("resnet50") == [
        ("input", (3, 224, 224), 1, ""),
        ("conv 7×7", (64, 112, 112), 1, ""),
        ("max 3×3", (64, 56, 56), 1, ""),
        ("bottleneck", (256, 56, 56), 3, "add"),
        ("bottleneck", (512, 28, 28), 4, "add"),
        ("bottleneck", (1024, 14, 14), 6, "add"),
        ("bottleneck", (2048, 7, 7), 3, "add"),
        ("mean", (2048, 1, 1), 1, ""),
        ("dense", (1000,), 1, ""),
    ]


def test_vgg16_has_thirteen_convolutions_and_three_dense_layers() -> None:
    made = rows("vgg16")
    assert [repeat for label, _, repeat, _ in made if label == "conv 3×3"] == [2, 2, 3, 3, 3]
    assert [shape for label, shape, _, _ in made if label == "dense"] == [(4096,), (4096,), (1000,)]
    assert {label for label, *_ in made} == {"input", "conv 3×3", "max 2×2", "dense"}


def test_the_plain_twin_has_no_shortcuts() -> None:
    assert {join for *_, join in rows("resnet20")} == {"", "add"}
    assert {join for *_, join in rows("resnet20-plain")} == {""}


def test_side_branches_leave_where_they_start() -> None:
    made = architecture.of_size("inception").blocks
    assert all(block.joins == "concatenate" for block in made if "inception" in block.label)
    sides = {block.hover[0].rpartition(", ")[2]: block.sides for block in made if block.sides}
    assert sides == {"inception4a": ("side4a",), "inception4d": ("side4d",)}


@pytest.mark.parametrize(
    "name", ["lenet5", "resnet18-small", "vgg16-small", "multilayer-perceptron", "perceptron"]
)
def test_every_layer_that_multiplies_is_in_one_block(name: str) -> None:
    made = architecture.of_size(name)
    named = [layer for block in made.blocks if block.hover for layer in block.hover[0].split(", ")]
    assert named.count("") == 0
    for row in made.layers:
        assert named.count(row.name) == (1 if row.macs else named.count(row.name)), row.name
    assert made.blocks[0].shape == made.input_shape
    assert made.blocks[-1].shape == (made.outputs,)
    assert sum(row.parameters for row in made.layers) == made.parameters


def test_every_size_of_every_network_is_offered() -> None:
    offered = architecture.sizes()
    assert {"lenet5", "lenet5-small", "efficientnet-b0", "efficientnet-b7"} <= set(offered)
    assert offered == sorted(set(offered))


def test_an_unknown_size_names_its_neighbours() -> None:
    with pytest.raises(UsageError, match=r"no network is called lenet6; did you mean lenet5"):
        architecture.of_size("lenet6")


class Twice(nn.Module):
    """Adds what it makes to what it was given, in a way of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.way = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.way(x)


class Forks(nn.Module):
    """What tracing cannot follow."""

    def __init__(self) -> None:
        super().__init__()
        self.way = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.way(x) if x.sum() > 0 else x + x


class Own(Chain):
    """A plug-in's network."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.block = Twice(4)
        self.again = Twice(4)
        self.flat = nn.Flatten()
        self.dropout = nn.Dropout(0.5)
        self.last = nn.Linear(4 * 6 * 6, 2)


def test_a_network_of_others_is_read_without_their_help() -> None:
    with torch.device("meta"):
        network = Own()
    table = describe(network, (1, 8, 8))
    made = blocks(network, table.layers, (1, 8, 8))
    assert [(one.label, one.repeat, one.joins) for one in made] == [
        ("input", 1, ""),
        ("conv 3×3", 1, ""),
        ("twice", 2, "add"),
        ("dense", 1, ""),
    ]
    assert "then batch norm" in made[1].hover
    assert "then dropout" in made[2].hover
    assert any("296 parameters" in line for line in made[2].hover)


def test_what_cannot_be_followed_is_drawn_without_an_arc() -> None:
    assert joins(Forks()) == ""
    assert joins(Twice(2)) == "add"
