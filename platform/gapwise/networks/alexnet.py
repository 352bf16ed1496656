"""AlexNet (notes 5.10.2; Krizhevsky et al. 2012, in the single-tower form of 2014)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from gapwise.networks.activations import ActivationName, Nonlinearity
from gapwise.networks.base import (
    Chain,
    Published,
    Window,
    image_shape,
    initialize,
    shares,
    size_after,
)

__all__ = ["AlexNet"]


@dataclass(frozen=True)
class _Plan:
    """Sizes of the layers.

    Attributes:
        convolutions: (filters, kernel, stride, padding) of each.
        pool_padding: of the 3×3 max pooling with stride 2 that follows the first two and the last.
        grid: height and width of the map that the dense layers see.
        units: of each of the two dense layers before the last.
    """

    convolutions: tuple[tuple[int, int, int, int], ...]
    pool_padding: int
    grid: int
    units: int


_PLANS = {
    "published": _Plan(
        ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1)),
        pool_padding=0, grid=6, units=4096,
    ),
    "small": _Plan(
        ((32, 5, 1, 2), (64, 5, 1, 2), (96, 3, 1, 1), (64, 3, 1, 1), (64, 3, 1, 1)),
        pool_padding=1, grid=4, units=256,
    ),
}  # fmt: skip
_POOLED = (0, 1, 4)
_TORCHVISION = {
    "features.0": "convolution1",
    "features.3": "convolution2",
    "features.6": "convolution3",
    "features.8": "convolution4",
    "features.10": "convolution5",
    "classifier.1": "dense1",
    "classifier.4": "dense2",
    "classifier.6": "output",
}


class AlexNet(Chain):
    """Five convolutions, three overlapping max poolings and three dense layers.

    61,100,840 parameters and 0.714 GMAC at 3×224×224 and 1000 outputs, in the form of "One weird
    trick" (Krizhevsky 2014, arXiv 1404.5997): one tower, no local response normalisation. The two
    towers of the 2012 paper, which the notes' picture shows as one, have wider layers, of which
    three see only half of the filters before them, and about 60 million parameters. Its input of
    227×227 needs no padding; here 224×224 with 2 zeros around it gives the same 55×55 map.

    Args:
        input_shape: (channels, height, width), at least 63×63; any size where small.
        outputs: units of the last layer.
        size: ``published``, for large images; or ``small`` for 28×28 and 32×32, with fewer filters
            and no stride in the first layer.
        activation: what follows each layer but the last (notes 2.3).
        slope: of leaky ReLU below 0.
        dropout: share of the inputs of the two dense layers before the last that is switched off
            while training (notes 3.4.2): one number, or one for each.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="alexnet",
            input_shape=(3, 224, 224),
            outputs=1000,
            notes="5.10.2",
            parameters=61_100_840,
            macs=714_188_480,
        ),
        Published(
            name="alexnet-small",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"size": "small"},
            notes="5.10.2",
            parameters=532_138,
            macs=25_332_224,
        ),
    )

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        size: Literal["published", "small"] = "published",
        activation: ActivationName = "relu",
        slope: float = 0.01,
        dropout: float | Sequence[float] = 0.5,
    ) -> None:
        super().__init__()
        planes, height, width = image_shape("alexnet", input_shape)
        plan = _PLANS[size]
        size_after("alexnet", _windows(size), (height, width))
        follow = Nonlinearity(activation, slope, "none")
        for i, (filters, kernel, stride, padding) in enumerate(plan.convolutions):
            name = f"convolution{i + 1}"
            pool = {f"pool{i + 1}": nn.MaxPool2d(3, 2, plan.pool_padding)} if i in _POOLED else {}
            self.append(
                **{name: nn.Conv2d(planes, filters, kernel, stride, padding)},
                **follow.behind(name, nn.Identity(), pool),
            )
            planes = filters
        self.append(grid=nn.AdaptiveAvgPool2d(plan.grid), flatten=nn.Flatten())
        units = planes * plan.grid**2
        for i, share in enumerate(shares(dropout, 2, 2)):
            name = f"dense{i + 1}"
            self.append(
                **{f"{name}_dropout": nn.Dropout(share), name: nn.Linear(units, plan.units)},
                **follow.behind(name, nn.Identity()),
            )
            units = plan.units
        self.append(output=nn.Linear(units, outputs))
        initialize(self, follow.variance)

    @classmethod
    def from_torchvision(cls, key: str) -> str:
        """Return our name of a weight that torchvision calls ``key``; others stay as they are."""
        layer, _, kind = key.rpartition(".")
        return f"{_TORCHVISION[layer]}.{kind}" if layer in _TORCHVISION else key


def _windows(size: str) -> list[Window]:
    plan = _PLANS[size]
    windows: list[Window] = []
    for i, (_, kernel, stride, padding) in enumerate(plan.convolutions):
        convolution = f"convolution{i + 1} ({kernel}×{kernel}; size: {size})"
        windows.append(Window(convolution, kernel, stride, padding))
        if i in _POOLED:
            windows.append(Window(f"pool{i + 1} (3×3; size: {size})", 3, 2, plan.pool_padding))
    return windows
