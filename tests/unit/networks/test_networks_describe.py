"""The layer table: receptive fields against what really passes, costs against sums by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.networks.base import NETWORKS, Chain, layers
from gapwise.networks.describe import ReceptiveField, describe, described, kind


class Mixed(nn.Module):
    """A block that adds, stacks, pads, slices and convolves in groups, all in its ``forward``."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(4, 4, 5, padding=2, groups=2)
        self.narrow = nn.Conv2d(4, 4, (1, 3), padding=(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat([self.wide(x), F.relu(self.narrow(x)) + x], 1)
        return F.pad(both, (2, 1, 1, 0))[:, :, 1::2, 3:]


class Gated(nn.Module):
    """Squeeze and excitation: one number a channel, from the whole map."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))


def chain(**units: nn.Module) -> Chain:
    network = Chain()
    network.append(**units)
    return network.eval()


def everything() -> Chain:
    return chain(
        pad=nn.ZeroPad2d((1, 2, 0, 1)),
        dilated=nn.Conv2d(1, 4, 3, dilation=2),
        strided=nn.Conv2d(4, 4, 3, stride=2),
        norm=nn.BatchNorm2d(4),
        mixed=Mixed(),
        mean=nn.AvgPool2d(3, 2, padding=1),
        largest=nn.MaxPool2d(2, 1),
        last=nn.Conv2d(8, 2, 2),
    )


CHAINS = {
    "everything": (everything, (1, 41, 37)),
    **{
        name: (
            lambda name=name: NETWORKS.get(name)(input_shape=(1, 28, 28), outputs=2),
            (1, 28, 28),
        )
        for name in ("lenet5", "small-cnn", "happy-cnn", "functional-cnn", "resnet20")
    },
}


# torch says so wherever oneDNN is switched off, which is done here because it drops NaN.
@pytest.mark.filterwarnings("ignore:TF32 acceleration")
@pytest.mark.parametrize("made", CHAINS)
def test_a_position_depends_on_the_pixels_of_its_field_and_on_no_other(made: str) -> None:
    """What is no number passes through all that depends on it, whatever the weights."""
    torch.manual_seed(0)
    build, shape = CHAINS[made]
    network = build().eval()
    told = {row.name: row.receptive_field for row in describe(network, shape).layers}
    middle = (shape[1] // 2, shape[2] // 3)
    for pixel in ((0, 0), middle, (shape[1] - 1, shape[2] - 2)):
        x = torch.randn(1, *shape)
        x[0, 0, pixel[0], pixel[1]] = torch.nan
        with torch.no_grad(), torch.backends.mkldnn.flags(enabled=False):
            for name, unit in layers(network):
                x = unit(x)
                if field := told[name]:
                    found, told_of = reached(x), seeing(field, pixel, x.shape[2:])
                    # Padding and dilation leave holes in a field, not in its extent.
                    assert found <= told_of, (name, pixel)
                    if pixel == middle:
                        assert extent(found) == extent(told_of), (name, pixel)


def reached(x: Tensor) -> set[tuple[int, int]]:
    return {(int(i), int(j)) for i, j in x.isnan().any(1)[0].nonzero()}


def extent(positions: set[tuple[int, int]]) -> tuple[int, ...]:
    rows, columns = zip(*positions, strict=True)
    return (min(rows), max(rows), min(columns), max(columns))


def seeing(field: ReceptiveField, pixel: tuple[int, int], size: Any) -> set[tuple[int, int]]:
    axes = []
    for axis in (0, 1):
        half = (field.size[axis] - 1) / 2
        middles = [field.start[axis] + i * field.stride[axis] for i in range(size[axis])]
        axes.append([i for i, middle in enumerate(middles) if abs(middle - pixel[axis]) <= half])
    return {(i, j) for i in axes[0] for j in axes[1]}


@pytest.mark.parametrize(
    ("name", "size", "side"),
    [("vgg16", 212, "pool5"), ("alexnet", 195, "pool5"), ("mobilenet-v1", 315, "last map")],
)
def test_fields_are_those_of_araujo_et_al_2019(name: str, size: int, side: str) -> None:
    """Table 1 of "Computing receptive fields of convolutional neural networks" (Distill)."""
    found = described(NETWORKS.get(name), input_shape=(3, 224, 224), outputs=1000)
    windows = [
        row.receptive_field.size[0]
        for row in found.layers
        if row.receptive_field and "mean pooling" not in row.kind
    ]
    assert max(windows) == size, side


def test_a_gate_says_how_much_not_where() -> None:
    before, after = describe(chain(map=nn.Conv2d(1, 8, 3), gated=Gated()), (1, 9, 9)).layers
    assert after.receptive_field == before.receptive_field
    assert after.macs == 64


def test_units_behind_a_flat_layer_have_no_place() -> None:
    rows = describe(chain(flat=nn.Flatten(), dense=nn.Linear(9, 2)), (1, 3, 3)).layers
    assert [row.receptive_field for row in rows] == [None, None]


def test_mean_over_a_map_sees_what_all_its_positions_see() -> None:
    network = chain(map=nn.Conv2d(1, 1, 3, stride=2), mean=nn.AdaptiveAvgPool2d(1))
    mean = describe(network, (1, 9, 9)).layers[1].receptive_field
    assert mean == ReceptiveField(size=(9, 9), stride=(8, 8), start=(4, 4))


def test_costs_are_those_of_the_notes() -> None:
    """28·28·32·5·5·192 multiplications; with a bottleneck of 16 channels a tenth (5.13)."""
    plain = chain(same=nn.Conv2d(192, 32, 5, padding=2))
    assert describe(plain, (192, 28, 28)).macs == 120_422_400
    bottleneck = chain(narrow=nn.Conv2d(192, 16, 1), same=nn.Conv2d(16, 32, 5, padding=2))
    assert describe(bottleneck, (192, 28, 28)).macs == 12_443_648


def test_a_depthwise_separable_convolution_costs_what_the_notes_say() -> None:
    """1/n_c' + 1/f² of the normal one (5.14): here 4·4·3·3·3 + 4·4·3·5 against 4·4·5·3·3·3."""
    normal = chain(normal=nn.Conv2d(3, 5, 3))
    assert describe(normal, (3, 6, 6)).macs == 2160
    separable = chain(depthwise=nn.Conv2d(3, 3, 3, groups=3), pointwise=nn.Conv2d(3, 5, 1))
    assert describe(separable, (3, 6, 6)).macs == 672


def test_ten_filters_of_3x3x3_have_280_parameters() -> None:
    """Whatever the size of the image (5.5)."""
    for side in (3, 100):
        (row,) = describe(chain(layer=nn.Conv2d(3, 10, 3)), (3, side, side)).layers
        assert row.parameters == 280


def test_describing_leaves_the_network_as_it_is() -> None:
    torch.manual_seed(0)
    network = NETWORKS.get("small-cnn")(input_shape=(1, 8, 8), outputs=2)
    network.get_submodule("dense").eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    describe(network, (1, 8, 8))
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_a_network_of_unknown_order_is_one_unit() -> None:
    class Strange(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.second, self.first = nn.Linear(2, 3), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.second(self.first(x))
            return y

    (row,) = describe(Strange(), (4,)).layers
    assert (row.name, row.kind, row.output_shape) == ("network", "strange", (3,))
    assert (row.macs, row.parameters) == (14, 19)


def test_side_branches_stand_below_and_cost_nothing_in_use() -> None:
    class Sided(Chain):
        aside = ("side",)

        def __init__(self) -> None:
            super().__init__()
            self.append(map=nn.Conv2d(1, 2, 3), side=nn.Linear(9, 2), flat=nn.Flatten())

    found = describe(Sided(), (1, 5, 5))
    assert [row.name for row in found.layers] == ["map", "flat", "side"]
    assert found.layers[-1].output_shape == ()
    assert (found.parameters, found.macs) == (40, 162)


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        (nn.Conv2d(3, 6, 5), "5×5 convolution"),
        (nn.Conv2d(3, 6, (3, 1), stride=2), "3×1 convolution, stride 2"),
        (nn.Conv2d(4, 4, 3, stride=(2, 1), groups=2), "3×3 convolution, stride 2×1, 2 groups"),
        (nn.Conv2d(4, 8, 3, groups=4), "3×3 convolution, a channel each"),
        (nn.MaxPool2d(3, 2), "3×3 max pooling, stride 2"),
        (nn.BatchNorm2d(3), "batch norm"),
        (nn.LeakyReLU(), "leaky ReLU"),
        (Mixed(), "mixed"),
    ],
    ids=str,
)
def test_kinds_are_words(unit: nn.Module, words: str) -> None:
    assert kind(unit) == words
