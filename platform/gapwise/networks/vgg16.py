"""VGG-16 (notes 5.10.3; Simonyan and Zisserman 2015)."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import nn

from gapwise.networks.activations import NormPlace
from gapwise.networks.base import (
    Chain,
    Published,
    Window,
    image_shape,
    initialize,
    shares,
    size_after,
)

__all__ = ["Vgg16"]

_STAGES = {
    "published": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    "small": ((32, 32), (64, 64), (128, 128, 128)),
}
_UNITS = {"published": 4096, "small": 256}
_GRID = 7


class Vgg16(Chain):
    """Stages of 3×3 same convolutions, each ended by 2×2 max pooling, and three dense layers.

    138,357,544 parameters and 15.47 GMAC at 3×224×224 and 1000 outputs: configuration D of the
    paper, with its 13 convolutions. It has no batch norm, which is younger. The paper started deep
    networks from shallow ones' weights; drawn as He et al. (2015) they train from scratch.

    Args:
        input_shape: (channels, height, width), at least 32×32, or 8×8 where small.
        outputs: units of the last layer.
        size: ``published``, for large images; or ``small`` for 28×28 and 32×32: the first three
            stages with half of the filters.
        width: multiplies the filters of every convolution.
        batch_norm: normalise each convolution before or after its ReLU (notes 3.15); before it,
            the convolution's bias is left out. null is ``none``, and ``before`` where small.
        dropout: share of the two dense layers before the last that is switched off while training
            (notes 3.4.2): one number, or one for each.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="vgg16",
            input_shape=(3, 224, 224),
            outputs=1000,
            notes="5.10.3",
            parameters=138_357_544,
            macs=15_470_264_320,
        ),
        Published(
            name="vgg16-small",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"size": "small"},
            notes="5.10.3",
            parameters=1_028_074,
            macs=48_663_040,
        ),
    )

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        size: Literal["published", "small"] = "published",
        width: float = 1.0,
        batch_norm: NormPlace | None = None,
        dropout: float | Sequence[float] = 0.5,
    ) -> None:
        super().__init__()
        planes, *image = image_shape("vgg16", input_shape)
        stages = [[round(width * filters) for filters in stage] for stage in _STAGES[size]]
        pools = [Window(f"pooling {i + 1} of {len(stages)}", 2, 2) for i in range(len(stages))]
        grid = size_after(f"vgg16 of size {size}", pools, (image[0], image[1]))
        place = batch_norm or ("before" if size == "small" else "none")
        features: list[nn.Module] = []
        for stage in stages:
            for i, filters in enumerate(stage):
                features += _convolution(planes, filters, place, pooled=i == len(stage) - 1)
                planes = filters
        if size == "published":
            grid = _GRID, _GRID
        first, second = shares(dropout, 2, 2)
        units = _UNITS[size]
        self.features = nn.Sequential(*features)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(grid), nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(planes * grid[0] * grid[1], units),
            nn.ReLU(),
            nn.Dropout(first),
            nn.Linear(units, units),
            nn.ReLU(),
            nn.Dropout(second),
            nn.Linear(units, outputs),
        )
        initialize(self)

    @classmethod
    def from_torchvision(cls, key: str) -> str:
        """Return our name of a weight that torchvision calls ``key``; others stay as they are.

        Its ``vgg16_bn`` has biases before batch norm, so only ``vgg16`` is shared.
        """
        return f"head.{key.removeprefix('classifier.')}" if key.startswith("classifier.") else key


def _convolution(
    planes_in: int, planes_out: int, place: NormPlace, *, pooled: bool
) -> list[nn.Module]:
    """Return a convolution with batch norm in its place, ReLU, and pooling where there is one."""
    convolution = nn.Conv2d(planes_in, planes_out, 3, padding=1, bias=place != "before")
    pool = [nn.MaxPool2d(2)] if pooled else []
    if place == "after":
        return [convolution, nn.ReLU(), nn.BatchNorm2d(planes_out), *pool]
    norm = [nn.BatchNorm2d(planes_out)] if place == "before" else []
    # ReLU after pooling gives the same numbers as before it, on a quarter of the units.
    return [convolution, *norm, *pool, nn.ReLU()]
