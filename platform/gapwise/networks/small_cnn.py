"""A small convolutional network for small images."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from gapwise.networks.base import Chain, Window, image_shape, initialize, size_after

__all__ = ["SmallCnn"]


class SmallCnn(Chain):
    """Blocks of 3×3 convolution, batch norm, 2×2 max pooling and ReLU, then dense layers.

    Args:
        input_shape: (channels, height, width); each block halves height and width.
        outputs: units of the last layer.
        channels: filters of each block.
        hidden: units of the dense layer before the last; 0 leaves it out.
        dropout: share of units switched off before the last layer while training (notes 3.4.2).
        batch_norm: normalise before each ReLU of the blocks (notes 3.15).
    """

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        channels: Sequence[int] = (32, 64),
        hidden: int = 128,
        dropout: float = 0.0,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        planes, height, width = image_shape("small-cnn", input_shape)
        pools = [Window(f"pool {i + 1} of {len(channels)}", 2, 2) for i in range(len(channels))]
        height, width = size_after("small-cnn", pools, (height, width))
        blocks = [_block(a, b, batch_norm) for a, b in pairwise((planes, *channels))]
        units = (channels[-1] if channels else planes) * height * width
        dense = [nn.Linear(units, hidden), nn.ReLU()] if hidden else []
        self.features = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            nn.Flatten(), *dense, nn.Dropout(dropout), nn.Linear(hidden or units, outputs)
        )
        initialize(self)


def _block(planes_in: int, planes_out: int, batch_norm: bool) -> nn.Sequential:
    norm = [nn.BatchNorm2d(planes_out)] if batch_norm else []
    convolution = nn.Conv2d(planes_in, planes_out, 3, padding=1, bias=not batch_norm)
    # ReLU after pooling gives the same numbers as before it, on a quarter of the units.
    return nn.Sequential(convolution, *norm, nn.MaxPool2d(2), nn.ReLU())
