"""U-Net: down to a small map, up again by transpose convolutions, with skips (notes 6.11–6.13)."""

from math import ceil
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.networks.base import Chain, Published, Window, image_shape, initialize, size_after

__all__ = ["UNet"]


class UNet(Chain):
    """Ronneberger et al. (2015): each level has two 3×3 convolutions; each is half the one above.

    Gives a unit a class at each pixel. Without padding, as in the paper, the map that comes out is
    smaller than the picture (388 of 572 pixels), and skips are cut to their middle.

    Args:
        input_shape: (channels, height, width).
        outputs: classes.
        base: filters of the first level; each level below has twice as many.
        depth: how many times the map is halved.
        padded: pad the convolutions, so that the output is as large as the picture.
        batch_norm: normalise behind each convolution, whose bias is then left out.
        dropout: share of units switched off while training, before the way up.
    """

    gives = "pixels"
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="u-net",
            input_shape=(1, 572, 572),
            outputs=2,
            options={"padded": False, "batch_norm": False},
            notes="6.13",
            parameters=31_030_658,
            macs=150_428_424_448,
        ),
        Published(
            name="u-net-small",
            input_shape=(1, 32, 32),
            outputs=2,
            options={"base": 8, "depth": 3},
            notes="6.13",
            parameters=121_042,
            macs=9_035_776,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        base: int = 64,
        depth: int = 4,
        padded: bool = True,
        batch_norm: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        planes, height, width = image_shape("u-net", input_shape)
        if base < 1 or depth < 1:
            raise ValueError(f"base is {base} and depth is {depth}; both need at least 1")
        size_after("u-net", _windows(depth, padded), (height, width))
        make = _Convolutions(padded, batch_norm)
        inner: nn.Module = nn.Sequential(
            *make(base * 2 ** (depth - 1), base * 2**depth), nn.Dropout(dropout)
        )
        for level in reversed(range(depth)):
            units_in = planes if level == 0 else base * 2 ** (level - 1)
            inner = Level(inner, units_in, base * 2**level, make)
        self.append(levels=inner, output=nn.Conv2d(base, outputs, 1))
        initialize(self)


class Level(nn.Module):
    """Two convolutions, what lies below, and two convolutions of both.

    Takes (n, ``units_in``, height, width) and gives ``units`` maps.
    """

    def __init__(self, below: nn.Module, units_in: int, units: int, make: "_Convolutions") -> None:
        super().__init__()
        self.down = nn.Sequential(*make(units_in, units))
        self.pool = nn.MaxPool2d(2)
        self.below = below
        self.up = nn.ConvTranspose2d(2 * units, units, 2, stride=2)
        self.join = nn.Sequential(*make(2 * units, units))

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps of this level with what was seen below it."""
        seen = self.down(x)
        risen = self.up(self.below(self.pool(seen)))
        joined: Tensor = self.join(torch.cat(_fitted(seen, risen), 1))
        return joined


class _Convolutions:
    """Makes the two convolutions of a level."""

    def __init__(self, padded: bool, batch_norm: bool) -> None:
        self._padding, self._norm = int(padded), batch_norm

    def __call__(self, units_in: int, units: int) -> list[nn.Module]:
        made: list[nn.Module] = []
        for fed in (units_in, units):
            made.append(nn.Conv2d(fed, units, 3, padding=self._padding, bias=not self._norm))
            if self._norm:
                made.append(nn.BatchNorm2d(units))
            made.append(nn.ReLU(inplace=True))
        return made


def _fitted(seen: Tensor, risen: Tensor) -> tuple[Tensor, Tensor]:
    """Cut the skip to the middle where it is larger by more than halving left over."""
    down, right = seen.shape[2] - risen.shape[2], seen.shape[3] - risen.shape[3]
    if max(down, right) <= 1:
        return seen, F.pad(risen, (0, right, 0, down)) if down or right else risen
    top, left = down // 2, right // 2
    return seen[:, :, top : top + risen.shape[2], left : left + risen.shape[3]], risen


def _windows(depth: int, padded: bool) -> list[Window]:
    """Return what slides over the map on the way down, and what the way up needs of it."""
    found: list[Window] = []
    for level in range(depth + 1):
        if level:
            found.append(Window(f"pool {level} of {depth} (2×2)", 2, 2))
        name = f"convolution of level {level + 1} (3×3)"
        found += [Window(name, 3, 1, int(padded))] * 2
    if not padded:
        # Each level on the way up makes 2n − 4 of n: so much is needed for a pixel to be left.
        found.append(Window("the way up", ceil(4 - 3 / 2**depth)))
    return found
