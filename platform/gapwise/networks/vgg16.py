"""VGG-16 (notes 5.10.3; Simonyan and Zisserman 2015)."""

from collections.abc import Sequence
from typing import ClassVar, Literal

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

__all__ = ["Vgg16"]

_STAGES = {
    "published": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    "small": ((32, 32), (64, 64), (128, 128, 128)),
}
_UNITS = {"published": 4096, "small": 256}
_GRID = (7, 7)
# torchvision counts the ReLUs and poolings between the convolutions, too.
_TORCHVISION = {
    **{f"features.{i}": f"convolution1_{n}" for n, i in enumerate((0, 2), start=1)},
    **{f"features.{i}": f"convolution2_{n}" for n, i in enumerate((5, 7), start=1)},
    **{f"features.{i}": f"convolution3_{n}" for n, i in enumerate((10, 12, 14), start=1)},
    **{f"features.{i}": f"convolution4_{n}" for n, i in enumerate((17, 19, 21), start=1)},
    **{f"features.{i}": f"convolution5_{n}" for n, i in enumerate((24, 26, 28), start=1)},
    "classifier.0": "dense1",
    "classifier.3": "dense2",
    "classifier.6": "output",
}


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
        activation: what follows each layer but the last (notes 2.3).
        slope: of leaky ReLU below 0.
        batch_norm: normalise each convolution before or after its non-linearity (notes 3.15);
            before it, the convolution's bias is left out. null is ``none``, and ``before`` where
            small.
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

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        size: Literal["published", "small"] = "published",
        width: float = 1.0,
        activation: ActivationName = "relu",
        slope: float = 0.01,
        batch_norm: NormPlace | None = None,
        dropout: float | Sequence[float] = 0.5,
    ) -> None:
        super().__init__()
        channels, *image = image_shape("vgg16", input_shape)
        stages = [[round(width * filters) for filters in stage] for stage in _STAGES[size]]
        pools = [Window(f"pool{i + 1} (2×2; size: {size})", 2, 2) for i in range(len(stages))]
        grid = size_after("vgg16", pools, (image[0], image[1]))
        place = batch_norm or ("before" if size == "small" else "none")
        follow = Nonlinearity(activation, slope, place)
        self._append_convolutions(channels, stages, follow)
        if size == "published":
            grid = _GRID
        self.append(grid=nn.AdaptiveAvgPool2d(grid), flatten=nn.Flatten())
        units = stages[-1][-1] * grid[0] * grid[1]
        plain = Nonlinearity(activation, slope, "none")
        for i, share in enumerate(shares(dropout, 2, 2)):
            name = f"dense{i + 1}"
            self.append(
                **{name: nn.Linear(units, _UNITS[size])},
                **plain.behind(name, nn.Identity(), dropout=share),
            )
            units = _UNITS[size]
        self.append(output=nn.Linear(units, outputs))
        initialize(self, follow.variance)

    def _append_convolutions(
        self, planes: int, stages: Sequence[Sequence[int]], follow: Nonlinearity
    ) -> None:
        for s, stage in enumerate(stages, start=1):
            for i, filters in enumerate(stage, start=1):
                name = f"convolution{s}_{i}"
                pool = {f"pool{s}": nn.MaxPool2d(2)} if i == len(stage) else {}
                self.append(
                    **{name: nn.Conv2d(planes, filters, 3, padding=1, bias=follow.bias)},
                    **follow.behind(name, nn.BatchNorm2d(filters), pool),
                )
                planes = filters

    @classmethod
    def from_torchvision(cls, key: str) -> str:
        """Return our name of a weight that torchvision calls ``key``; others stay as they are.

        Its ``vgg16_bn`` has biases before batch norm, so only ``vgg16`` is shared.
        """
        layer, _, kind = key.rpartition(".")
        return f"{_TORCHVISION[layer]}.{kind}" if layer in _TORCHVISION else key
