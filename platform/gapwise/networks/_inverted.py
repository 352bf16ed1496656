"""What MobileNet v2 and EfficientNet share: inverted residuals, and how filters are rounded.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018; Tan and Le,
"EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.networks._residual import Block, normed

DIVISOR = 8


@dataclass(frozen=True)
class Stage:
    """Blocks of one kind in a row: a row of the papers' tables.

    Attributes:
        expansion: how many times as many filters as come in the depthwise convolution has.
        filters: that each block gives.
        repeats: blocks.
        stride: of the first block; the others have 1.
        kernel: height and width of the depthwise convolution.
    """

    expansion: int
    filters: int
    repeats: int
    stride: int
    kernel: int = 3


@dataclass(frozen=True)
class Style:
    """What all blocks of a network have in common.

    Attributes:
        activation: the class of the non-linearity.
        excited: whether each block weighs its channels.
        drop: share of examples for which a block's layers are left out while training, growing
            evenly from 0 at the first block to this behind the last.
    """

    activation: type[nn.ReLU6] | type[nn.SiLU]
    excited: bool = False
    drop: float = 0.0


class InvertedResidual(Block):
    """Expansion, depthwise convolution and projection, around which the input is added.

    Wide inside and narrow outside, the inverse of ResNet's bottleneck. The projection has no
    non-linearity, which would lose what few channels hold; where the size changes nothing is added.
    An expansion by 1 is left out.

    Args:
        planes_in: channels that come in.
        stage: of the block.
        stride: of the depthwise convolution.
        style: of the network.
        drop: share of examples for which the layers are left out while training.
    """

    def __init__(
        self, planes_in: int, stage: Stage, stride: int, style: Style, drop: float = 0.0
    ) -> None:
        inside = stage.expansion * planes_in
        wide: dict[str, nn.Module] = {}
        if stage.expansion > 1:
            expand = normed(planes_in, inside, 1)
            wide = _named("expand", expand, style.activation())
        deep = normed(inside, inside, stage.kernel, stride=stride, groups=inside)
        wide |= _named("depthwise", deep, style.activation())
        if style.excited:
            wide["excitation"] = Excitation(inside, max(1, planes_in // 4))
        wide |= _named("project", normed(inside, stage.filters, 1))
        added = stride == 1 and planes_in == stage.filters
        if added and drop:
            wide["drop"] = StochasticDepth(drop)
        main = nn.Sequential(OrderedDict(wide))
        super().__init__(main, nn.Identity() if added else None)


class Excitation(nn.Module):
    """Squeeze and excitation: each channel times a number in (0, 1) that depends on all channels.

    Hu, Shen and Sun, "Squeeze-and-Excitation Networks", 2018. Squeezed to a quarter of the channels
    that come into the block, not of those that the excitation sees (EfficientNet's counts).
    """

    def __init__(self, planes: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(planes, squeezed, 1)
        self.activation = nn.SiLU()
        self.excite = nn.Conv2d(squeezed, planes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, channels, height, width) for x of that shape."""
        means = x.mean((2, 3), keepdim=True)
        weights: Tensor = self.excite(self.activation(self.squeeze(means))).sigmoid()
        return x * weights


class StochasticDepth(nn.Dropout):
    """Dropout of a block's layers as a whole, drawn for each example (Huang et al. 2016).

    What is kept is divided by the share that is kept, so that the expected sum stays (notes 3.4.2).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, channels, height, width) for x of that shape."""
        if not self.training:
            return x
        return x * F.dropout(x.new_ones((x.shape[0], 1, 1, 1)), self.p)


def inverted_stages(planes: int, stages: Sequence[Stage], style: Style) -> nn.Sequential:
    """Return the blocks of all stages, each stage a ``Sequential``, for ``planes`` channels."""
    return nn.Sequential(*_stages(planes, stages, style))


def _stages(planes: int, stages: Sequence[Stage], style: Style) -> Iterator[nn.Sequential]:
    count = sum(stage.repeats for stage in stages)
    number = 0
    for stage in stages:
        blocks = []
        for i in range(stage.repeats):
            drop = style.drop * number / count
            stride = 1 if i else stage.stride
            blocks.append(InvertedResidual(planes, stage, stride, style, drop))
            planes = stage.filters
            number += 1
        yield nn.Sequential(*blocks)


def normed_unit(
    name: str, planes_in: int, planes_out: int, kernel: int, stride: int, activation: nn.Module
) -> dict[str, nn.Module]:
    """Return a convolution, batch norm and a non-linearity, by their names."""
    return _named(name, normed(planes_in, planes_out, kernel, stride=stride), activation)


def _named(
    name: str, layers: Sequence[nn.Module], activation: nn.Module | None = None
) -> dict[str, nn.Module]:
    convolution, norm = layers
    units = {name: convolution, f"{name}_norm": norm}
    return units | ({f"{name}_activation": activation} if activation else {})


def rounded(filters: float) -> int:
    """Return the multiple of 8 nearest to ``filters``, but at most a tenth below it.

    The rule of both papers' code; 8 is the least.

    Raises:
        ValueError: there are no filters.
    """
    if filters <= 0:
        raise ValueError(f"a layer would have {filters:g} filters; width must be above 0")
    nearest = max(DIVISOR, int(filters + DIVISOR / 2) // DIVISOR * DIVISOR)
    return nearest if nearest >= 0.9 * filters else nearest + DIVISOR
