"""A small convolutional network for small images (notes 5.5 to 5.7)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from torch import nn

from gapwise.networks.activations import ActivationName, Nonlinearity, NormPlace
from gapwise.networks.base import (
    Chain,
    Published,
    Window,
    image_shape,
    initialize,
    shares,
    size_after,
)

__all__ = ["SmallCnn"]


class SmallCnn(Chain):
    """Blocks of 3×3 convolutions, batch norm, 2×2 max pooling and ReLU, then dense layers.

    Args:
        input_shape: (channels, height, width); each block halves height and width.
        outputs: units of the last layer.
        channels: filters of each block.
        convolutions: of each block; only its last one is pooled.
        average: average each filter's map before the dense layers, which saves most weights.
        hidden: units of the dense layer before the last; 0 leaves it out.
        activation: what follows each layer but the last (notes 2.3).
        slope: of leaky ReLU below 0.
        batch_norm: normalise each block before or after its non-linearity (notes 3.15); before
            it, the convolution's bias is left out.
        dropout: share of units switched off while training (notes 3.4.2): one number for those
            before the last layer, or one for each block and then those.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="small-cnn",
            input_shape=(1, 28, 28),
            outputs=10,
            notes="5.6",
            parameters=421_738,
            macs=4_241_152,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        channels: Sequence[int] = (32, 64),
        convolutions: int = 1,
        average: bool = False,
        hidden: int = 128,
        activation: ActivationName = "relu",
        slope: float = 0.01,
        batch_norm: NormPlace = "before",
        dropout: float | Sequence[float] = 0.0,
    ) -> None:
        super().__init__()
        planes, height, width = image_shape("small-cnn", input_shape)
        if convolutions < 1:
            raise ValueError(f"convolutions is {convolutions}, but a block has at least 1")
        count = len(channels)
        pools = [Window(f"pool {i + 1} of {count} (2×2)", 2, 2) for i in range(count)]
        height, width = size_after("small-cnn", pools, (height, width))
        follow = Nonlinearity(activation, slope, batch_norm)
        *dropped, last = shares(dropout, count=count + 1, last=1)
        for i, (units_in, units) in enumerate(pairwise((planes, *channels))):
            for j in range(convolutions):
                ends = j == convolutions - 1
                pool = {f"pool{i + 1}": nn.MaxPool2d(2)} if ends else {}
                name = f"convolution{i + 1}" + (f"_{j + 1}" if convolutions > 1 else "")
                fed = units if j else units_in
                self.append(
                    **{name: nn.Conv2d(fed, units, 3, padding=1, bias=follow.bias)},
                    **follow.behind(name, nn.BatchNorm2d(units), pool, dropped[i] if ends else 0.0),
                )
        if average:
            height = width = 1
            self.append(average=nn.AdaptiveAvgPool2d(1))
        units = (channels[-1] if channels else planes) * height * width
        self.append(flatten=nn.Flatten())
        if hidden:
            plain = Nonlinearity(activation, slope, "none")
            self.append(
                dense=nn.Linear(units, hidden),
                **plain.behind("dense", nn.Identity()),
            )
        self.append(dropout=nn.Dropout(last), output=nn.Linear(hidden or units, outputs))
        initialize(self, follow.variance)
