"""A hybrid network: a picture and columns of numbers, each read its own way (notes 2.1)."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import ClassVar

import torch
from torch import Tensor, nn

from gapwise.errors import PipelineError
from gapwise.networks.activations import activation
from gapwise.networks.base import Chain, Published, Window, initialize, size_after

__all__ = ["Hybrid"]


class Hybrid(Chain):
    """Convolutions read the picture, a dense layer the columns; dense layers read both.

    An example is a row: first the picture's pixels, (channels, height, width) in their order, then
    the columns.

    Args:
        input_shape: (features,).
        outputs: units of the last layer.
        picture: channels, height and width of the picture.
        channels: filters of each block of 3×3 convolutions; each block halves the picture.
        beside: units that read the columns.
        hidden: units of the dense layer that reads both.
        dropout: share of units before the last layer that are switched off while training.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="hybrid",
            input_shape=(65,),
            outputs=19,
            notes="2.1",
            parameters=58_419,
            macs=352_672,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        picture: Sequence[int] = (1, 8, 8),
        channels: Sequence[int] = (32, 64),
        beside: int = 32,
        hidden: int = 128,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(picture) != 3:
            raise ValueError(f"picture is {list(picture)}, but has channels, height and width")
        pixels = prod(picture)
        if len(input_shape) != 1 or input_shape[0] <= pixels:
            raise PipelineError(
                f"network hybrid wants rows of {pixels} pixels (network.picture is "
                f"{'×'.join(map(str, picture))}) and at least one column, but an example has shape "
                f"{input_shape}; set network.picture"
            )
        read = SideBySide(tuple(picture), input_shape[0] - pixels, channels, beside)
        self.append(
            read=read,
            dense=nn.Linear(read.units, hidden),
            dense_activation=activation("relu"),
            dropout=nn.Dropout(dropout),
            output=nn.Linear(hidden, outputs),
        )
        initialize(self)


class SideBySide(nn.Module):
    """Reads picture and columns of a row, and lays what it found side by side: (n, units).

    Attributes:
        units: of both together.
    """

    def __init__(
        self, picture: tuple[int, ...], columns: int, channels: Sequence[int], beside: int
    ) -> None:
        super().__init__()
        self.shape = picture
        windows = [
            Window(f"pool {i + 1} of {len(channels)} (2×2)", 2, 2) for i in range(len(channels))
        ]
        height, width = size_after("hybrid", windows, (picture[1], picture[2]))
        self.picture = nn.Sequential()
        for units_in, units in pairwise((picture[0], *channels)):
            self.picture.extend(
                [
                    nn.Conv2d(units_in, units, 3, padding=1, bias=False),
                    nn.BatchNorm2d(units),
                    nn.MaxPool2d(2),
                    nn.ReLU(),
                ]
            )
        self.columns = nn.Sequential(nn.Linear(columns, beside), nn.ReLU())
        self.units = (channels[-1] if channels else picture[0]) * height * width + beside

    def forward(self, x: Tensor) -> Tensor:
        """Return what was found in x: (n, pixels and columns)."""
        pixels = prod(self.shape)
        seen = self.picture(x[:, :pixels].reshape(-1, *self.shape)).flatten(1)
        return torch.cat([seen, self.columns(x[:, pixels:])], 1)
