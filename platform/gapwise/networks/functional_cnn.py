"""The network of the functional exercise (notes 5.9.2)."""

from collections.abc import Sequence
from math import inf
from typing import ClassVar

from torch import nn

from gapwise.networks.activations import ActivationName, Nonlinearity
from gapwise.networks.base import Chain, Published, image_shape, initialize

__all__ = ["FunctionalCnn"]


class FunctionalCnn(Chain):
    """Two blocks of convolution, ReLU and max pooling, all with same padding, and a dense layer.

    1,310 parameters at 3×64×64 and 6 outputs: 8 filters of 4×4, pooling by 8, 16 filters of 2×2,
    pooling by 4. Same padding is that of the notes' listing: where an odd count of rows must be
    added, one more comes at the end; pooling never takes what was added.

    Args:
        input_shape: (channels, height, width).
        outputs: units of the last layer.
        pools: side, and stride, of the two poolings.
        activation: what follows each convolution (notes 2.3).
        slope: of leaky ReLU below 0.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="functional-cnn",
            input_shape=(3, 64, 64),
            outputs=6,
            notes="5.9.2",
            parameters=1_310,
            macs=1_606_016,
        ),
        Published(
            name="functional-cnn-small",
            input_shape=(1, 28, 28),
            outputs=10,
            options={"pools": (2, 2)},
            notes="5.9.2",
            parameters=8_514,
            macs=208_544,
        ),
    )

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        pools: tuple[int, int] = (8, 4),
        activation: ActivationName = "relu",
        slope: float = 0.01,
    ) -> None:
        super().__init__()
        channels, height, width = image_shape("functional-cnn", input_shape)
        if min(pools) < 1:
            raise ValueError(f"pools is {list(pools)}, but each must be at least 1")
        follow = Nonlinearity(activation, slope, "none")
        size = height, width
        layers = ((channels, 8, 4, pools[0]), (8, 16, 2, pools[1]))
        for i, (planes, filters, kernel, pool) in enumerate(layers, start=1):
            name = f"convolution{i}"
            self.append(
                **{
                    f"padding{i}": nn.ZeroPad2d(_same(size, kernel, 1)),
                    name: nn.Conv2d(planes, filters, kernel),
                },
                **follow.behind(name, nn.Identity()),
                **_pooling(i, size, pool),
            )
            size = -(-size[0] // pool), -(-size[1] // pool)
        self.append(flatten=nn.Flatten(), output=nn.Linear(16 * size[0] * size[1], outputs))
        initialize(self, follow.variance)


def _pooling(number: int, size: tuple[int, int], pool: int) -> dict[str, nn.Module]:
    """Return max pooling that gives ⌈n/pool⌉ of n pixels, padded by what is never the largest."""
    padding = _same(size, pool, pool)
    padded = {f"pool{number}_padding": nn.ConstantPad2d(padding, -inf)} if any(padding) else {}
    return {**padded, f"pool{number}": nn.MaxPool2d(pool)}


def _same(size: Sequence[int], kernel: int, stride: int) -> tuple[int, int, int, int]:
    """Return the padding (left, right, top, bottom) that gives ⌈n/stride⌉ of n pixels."""
    height, width = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in size)
    return width // 2, width - width // 2, height // 2, height - height // 2
