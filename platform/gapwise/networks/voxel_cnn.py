"""A convolutional network for volumes: voxels, or frames over time (notes 8.6)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from torch import nn

from gapwise.errors import PipelineError
from gapwise.networks.activations import ActivationName, Nonlinearity, NormPlace
from gapwise.networks.base import Chain, Published, initialize, shares

__all__ = ["VoxelCnn"]


class VoxelCnn(Chain):
    """Blocks of 3×3×3 convolutions, batch norm, 2×2×2 max pooling and ReLU, then dense layers.

    Args:
        input_shape: (channels, depth, height, width); each block halves the last three.
        outputs: units of the last layer.
        channels: filters of each block.
        stride: of the first convolution, 5×5×5 where it is above 1: it makes large volumes cheap
            (Maturana and Scherer, 2015).
        average: average each filter's map before the dense layers, which saves most weights.
        hidden: units of the dense layer before the last; 0 leaves it out.
        activation: what follows each layer but the last (notes 2.3).
        batch_norm: normalise each block before or after its non-linearity (notes 3.15).
        dropout: share of units switched off while training (notes 3.4.2): one number for those
            before the last layer, or one for each block and then those.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="voxel-cnn",
            input_shape=(1, 30, 30, 30),
            outputs=10,
            notes="8.6",
            parameters=292_378,
            macs=77_508_992,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        channels: Sequence[int] = (16, 32, 64),
        stride: int = 1,
        average: bool = False,
        hidden: int = 128,
        activation: ActivationName = "relu",
        batch_norm: NormPlace = "before",
        dropout: float | Sequence[float] = 0.0,
    ) -> None:
        super().__init__()
        sizes = _check(input_shape, channels, stride)
        follow = Nonlinearity(activation, 0.01, batch_norm)
        *dropped, last = shares(dropout, count=len(channels) + 1, last=1)
        for i, (units_in, units) in enumerate(pairwise((input_shape[0], *channels))):
            name, step = f"convolution{i + 1}", stride if i == 0 else 1
            kernel = 5 if step > 1 else 3
            convolution = nn.Conv3d(
                units_in, units, kernel, step, padding=kernel // 2, bias=follow.bias
            )
            pool = {f"pool{i + 1}": nn.MaxPool3d(2)}
            self.append(
                **{name: convolution},
                **follow.behind(name, nn.BatchNorm3d(units), pool, dropped[i]),
            )
        units = channels[-1]
        if average:
            self.append(average=nn.AdaptiveAvgPool3d(1))
        else:
            units *= sizes[0] * sizes[1] * sizes[2]
        self.append(flatten=nn.Flatten())
        if hidden:
            plain = Nonlinearity(activation, 0.01, "none")
            self.append(dense=nn.Linear(units, hidden), **plain.behind("dense", nn.Identity()))
        self.append(dropout=nn.Dropout(last), output=nn.Linear(hidden or units, outputs))
        initialize(self, follow.variance)


def _check(
    input_shape: tuple[int, ...], channels: Sequence[int], stride: int
) -> tuple[int, int, int]:
    """Return depth, height and width behind the last block.

    Raises:
        PipelineError: the examples are no volumes, or too small.
        ValueError: there are no blocks.
    """
    if len(input_shape) != 4:
        raise PipelineError(
            "network voxel-cnn wants volumes (channels, depth, height, width), but an example has "
            f"shape {input_shape}; use network multilayer-perceptron"
        )
    if not channels:
        raise ValueError("channels is empty; give the filters of at least one block")
    depth, height, width = (-(-side // stride) // 2 ** len(channels) for side in input_shape[1:])
    if min(depth, height, width) < 1:
        least = (2 ** len(channels) - 1) * stride + 1
        raise PipelineError(
            f"network voxel-cnn: {len(channels)} blocks do not fit volumes of "
            f"{'×'.join(map(str, input_shape[1:]))}; the smallest side that fits is {least}"
        )
    return depth, height, width
