"""Inception, also called GoogLeNet (notes 5.13; Szegedy et al. 2015)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from gapwise.networks.activations import Nonlinearity, NormPlace
from gapwise.networks.base import (
    Branched,
    Chain,
    Published,
    Window,
    image_shape,
    initialize,
    size_after,
)

__all__ = ["Inception"]


@dataclass(frozen=True)
class Filters:
    """Filters of an inception module: a row of the paper's table 1.

    Attributes:
        one: of the 1×1 branch.
        to_three, three: of the 3×3 branch, its 1×1 bottleneck first (notes 5.12).
        to_five, five: of the 5×5 branch, its bottleneck first.
        pool: of the 1×1 convolution behind the pooling.
    """

    one: int
    to_three: int
    three: int
    to_five: int
    five: int
    pool: int

    @property
    def total(self) -> int:
        """Filters that the branches give together."""
        return self.one + self.three + self.five + self.pool

    def divided(self, by: int) -> "Filters":
        """Return a narrower module."""
        sizes = (self.one, self.to_three, self.three, self.to_five, self.five, self.pool)
        return Filters(*(size // by for size in sizes))


_MODULES = {
    "inception3a": Filters(64, 96, 128, 16, 32, 32),
    "inception3b": Filters(128, 128, 192, 32, 96, 64),
    "inception4a": Filters(192, 96, 208, 16, 48, 64),
    "inception4b": Filters(160, 112, 224, 24, 64, 64),
    "inception4c": Filters(128, 128, 256, 24, 64, 64),
    "inception4d": Filters(112, 144, 288, 32, 64, 64),
    "inception4e": Filters(256, 160, 320, 32, 128, 128),
    "inception5a": Filters(256, 160, 320, 32, 128, 128),
    "inception5b": Filters(384, 192, 384, 48, 128, 128),
}
_POOL_BEHIND = {"inception3b": "pool3", "inception4e": "pool4"}
_SIDE_OF = {"inception4a": "side4a", "inception4d": "side4d"}
_NARROWER = 4


class Inception(Chain):
    """Nine inception modules, whose side branches also predict while the network trains.

    At 3×224×224 and 1000 outputs 6,998,552 parameters without and 13,378,280 with both side
    branches, and 1.583 GMAC, all without the side branches, which do not run in evaluation. The
    sum, biases included:

    ==================  =========  ================  =========
    convolution1            9,472  inception4c         510,104
    convolution2_to         4,160  inception4d         605,376
    convolution2          110,784  inception4e         868,352
    inception3a           163,696  inception5a       1,043,456
    inception3b           388,736  inception5b       1,444,080
    inception4a           376,176  output            1,025,000
    inception4b           449,160  side4a            3,188,840
    ..                             side4d            3,190,888
    ==================  =========  ================  =========

    True 5×5 branches, biases, local response normalisation and no batch norm, as in the paper,
    whose table 1 rounds the counts. torchvision's ``googlenet`` is another network (3×3
    convolutions in the 5×5 branches, batch norm, no biases), so its weights do not fit and have no
    key map here.

    Args:
        input_shape: (channels, height, width); with side branches at least 79×79 at the published
            size and 20×20 where small.
        outputs: units of the last layer, and of each side branch's.
        size: ``published``, for large images; or ``small`` for 28×28 and 32×32: a quarter of the
            filters, behind one 3×3 convolution.
        side_branches: predict from the maps behind modules 4a and 4d, too, while training.
        side_weight: share of each side branch's loss in the training loss; 0.3 in the paper.
        batch_norm: normalise each convolution before or after its ReLU (notes 3.15); before it,
            the convolution's bias is left out. null is ``none``, and ``before`` where small.
        dropout: share of the last layer's inputs switched off while training (notes 3.4.2).
        side_dropout: the same before the last layer of each side branch.
    """

    aside: ClassVar[tuple[str, ...]] = tuple(_SIDE_OF.values())
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="inception",
            input_shape=(3, 224, 224),
            outputs=1000,
            notes="5.13",
            parameters=13_378_280,
            macs=1_582_671_872,
        ),
        Published(
            name="inception-no-sides",
            input_shape=(3, 224, 224),
            outputs=1000,
            options={"side_branches": False},
            notes="5.13",
            parameters=6_998_552,
            macs=1_582_671_872,
        ),
        Published(
            name="inception-small",
            input_shape=(3, 32, 32),
            outputs=10,
            options={"size": "small"},
            notes="5.13",
            parameters=452_214,
            macs=23_859_712,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        size: Literal["published", "small"] = "published",
        side_branches: bool = True,
        side_weight: float = 0.3,
        batch_norm: NormPlace | None = None,
        dropout: float = 0.4,
        side_dropout: float = 0.7,
    ) -> None:
        super().__init__()
        channels, *image = image_shape("inception", input_shape)
        place = batch_norm or ("before" if size == "small" else "none")
        # The pooling of the side branches needs larger maps than what follows on the main way.
        grid = size_after("inception", _windows(size, side=side_branches), (image[0], image[1]))
        self.append(**_STEMS[size](channels, Nonlinearity("relu", 0.0, place)))
        narrower = 1 if size == "published" else _NARROWER
        planes = 192 // narrower
        sides: dict[str, nn.Module] = {}
        for name, published in _MODULES.items():
            filters = published.divided(narrower)
            self.append(**{name: InceptionModule(planes, filters, place)})
            planes = filters.total
            if name in _POOL_BEHIND:
                self.append(**{_POOL_BEHIND[name]: _pool()})
            if side_branches and name in _SIDE_OF:
                units = (128 // narrower, grid[0] * grid[1] * 128 // narrower, 1024 // narrower)
                sides[_SIDE_OF[name]] = nn.Sequential(
                    nn.AvgPool2d(5, 3),
                    *_convolution(planes, units[0], 1, place),
                    nn.Flatten(),
                    nn.Linear(units[1], units[2]),
                    nn.ReLU(),
                    nn.Dropout(side_dropout),
                    nn.Linear(units[2], outputs),
                )
        self.append(pool5=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
        self.append(dropout=nn.Dropout(dropout), output=nn.Linear(planes, outputs), **sides)
        self.side_weight = side_weight
        initialize(self)

    def forward(self, x: Tensor) -> Tensor | Branched:
        """Return (batch, outputs) for x: (batch, channels, height, width).

        While the network trains with side branches, return theirs beside.
        """
        sides: list[Tensor] = []
        for name, unit in self.named_children():
            if name in self.aside:
                continue
            x = unit(x)
            side = getattr(self, _SIDE_OF.get(name, ""), None)
            if self.training and side is not None:
                sides.append(side(x))
        return Branched(x, tuple(sides), self.side_weight) if sides else x


class InceptionModule(nn.Module):
    """Filters of three sizes and a pooling side by side, their maps stacked (notes 5.13)."""

    def __init__(self, planes: int, filters: Filters, place: NormPlace) -> None:
        super().__init__()
        self.one = nn.Sequential(*_convolution(planes, filters.one, 1, place))
        self.three = nn.Sequential(
            *_convolution(planes, filters.to_three, 1, place),
            *_convolution(filters.to_three, filters.three, 3, place),
        )
        self.five = nn.Sequential(
            *_convolution(planes, filters.to_five, 1, place),
            *_convolution(filters.to_five, filters.five, 5, place),
        )
        self.pool = nn.Sequential(
            nn.MaxPool2d(3, 1, padding=1), *_convolution(planes, filters.pool, 1, place)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, filters of all branches, height, width)."""
        return torch.cat((self.one(x), self.three(x), self.five(x), self.pool(x)), 1)


def _convolution(planes_in: int, planes_out: int, kernel: int, place: NormPlace) -> list[nn.Module]:
    """Return a same convolution, ReLU, and batch norm in its place."""
    convolution = nn.Conv2d(
        planes_in, planes_out, kernel, padding=kernel // 2, bias=place != "before"
    )
    norm = [] if place == "none" else [nn.BatchNorm2d(planes_out)]
    # Nobody else sees what the convolution or the norm gives, so ReLU writes over it.
    relu = nn.ReLU(inplace=True)
    return [convolution, relu, *norm] if place == "after" else [convolution, *norm, relu]


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def _published_stem(channels: int, follow: Nonlinearity) -> dict[str, nn.Module]:
    return {
        "convolution1": nn.Conv2d(channels, 64, 7, 2, padding=3, bias=follow.bias),
        **follow.behind("convolution1", nn.BatchNorm2d(64), {"pool1": _pool()}),
        "response_norm1": nn.LocalResponseNorm(5),
        "convolution2_to": nn.Conv2d(64, 64, 1, bias=follow.bias),
        **follow.behind("convolution2_to", nn.BatchNorm2d(64)),
        "convolution2": nn.Conv2d(64, 192, 3, padding=1, bias=follow.bias),
        **follow.behind("convolution2", nn.BatchNorm2d(192)),
        "response_norm2": nn.LocalResponseNorm(5),
        "pool2": _pool(),
    }


def _small_stem(channels: int, follow: Nonlinearity) -> dict[str, nn.Module]:
    planes = 192 // _NARROWER
    return {
        "convolution1": nn.Conv2d(channels, planes, 3, padding=1, bias=follow.bias),
        **follow.behind("convolution1", nn.BatchNorm2d(planes), {"pool1": _pool()}),
    }


_STEMS = {"published": _published_stem, "small": _small_stem}


def _windows(size: str, *, side: bool) -> list[Window]:
    """Return the windows on the way to the last pooling, or to that of the side branches."""
    # A window of 2 has the sizes of a 3×3 pooling with stride 2 whose last window may stick out.
    pools = [Window(f"pool{i} (3×3; size: {size})", 2, 2) for i in (1, 2, 3, 4)]
    if size == "small":
        way = [pools[0], pools[2], pools[3]]
    else:
        way = [Window("convolution1 (7×7; size: published)", 7, 2, 3), *pools]
    if not side:
        return way
    return [*way[:-1], Window(f"side4a (5×5; size: {size}, side_branches: true)", 5, 3)]
