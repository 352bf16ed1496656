"""A network that says something at every cell of a grid (notes 6.4, 6.5)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

from torch import nn

from gapwise.networks.activations import ActivationName, Nonlinearity
from gapwise.networks.base import Chain, Published, Window, image_shape, initialize, size_after

__all__ = ["Yolo"]


class Yolo(Chain):
    """Convolutions all the way: each block halves the map, and a 1×1 convolution reads every cell.

    That of Redmon et al. (2015) in small, with batch norm as Redmon and Farhadi (2016) have it.

    Args:
        input_shape: (channels, height, width).
        outputs: units at each cell.
        channels: filters of each block, which ends in a 2×2 max pooling: n of them make cells of
            2ⁿ pixels.
        convolutions: of each block.
        head: filters of the two 3×3 convolutions behind the blocks, which let a cell see what is
            around it.
        activation: what follows each convolution but the last (notes 2.3).
        slope: of leaky ReLU below 0.
        dropout: share of units switched off while training, before the last layer.
    """

    gives = "grid"
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="yolo",
            input_shape=(1, 64, 64),
            outputs=45,
            notes="6.5",
            parameters=250_909,
            macs=24_551_424,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        channels: Sequence[int] = (16, 32, 64),
        convolutions: int = 1,
        head: int = 128,
        activation: ActivationName = "leaky-relu",
        slope: float = 0.1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        planes, height, width = image_shape("yolo", input_shape)
        if convolutions < 1 or not channels:
            raise ValueError("a block has at least 1 convolution, and there is at least 1 block")
        count = len(channels)
        pools = [Window(f"pool {i + 1} of {count} (2×2)", 2, 2) for i in range(count)]
        size_after("yolo", pools, (height, width))
        follow = Nonlinearity(activation, slope, "before")
        for i, (units_in, units) in enumerate(pairwise((planes, *channels))):
            for j in range(convolutions):
                pool = {f"pool{i + 1}": nn.MaxPool2d(2)} if j == convolutions - 1 else {}
                self._add(
                    f"convolution{i + 1}_{j + 1}", units if j else units_in, units, follow, pool
                )
        for j, units_in in enumerate((channels[-1], head)):
            self._add(f"head{j + 1}", units_in, head, follow, {})
        self.append(dropout=nn.Dropout2d(dropout), output=nn.Conv2d(head, outputs, 1))
        initialize(self, follow.variance)

    def _add(
        self,
        name: str,
        units_in: int,
        units: int,
        follow: Nonlinearity,
        pool: Mapping[str, nn.Module],
    ) -> None:
        made = nn.Conv2d(units_in, units, 3, padding=1, bias=follow.bias)
        self.append(**{name: made}, **follow.behind(name, nn.BatchNorm2d(units), pool))
