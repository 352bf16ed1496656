"""What VGG-16 and VGG-19 share (Simonyan and Zisserman 2015)."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from torch import nn

from gapwise.networks.activations import ActivationName, Nonlinearity, NormPlace
from gapwise.networks.base import Chain, Window, image_shape, initialize, shares, size_after

_UNITS = {"published": 4096, "small": 256}
_GRID = (7, 7)
Stages = Mapping[str, Sequence[Sequence[int]]]


class Vgg(Chain):
    """Stages of 3×3 same convolutions, each ended by 2×2 max pooling, and three dense layers.

    Attributes:
        name: the network's.
        stages: size → filters of each convolution of each stage.
    """

    name: ClassVar[str]
    stages: ClassVar[Stages]

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
        channels, *image = image_shape(self.name, input_shape)
        stages = [[round(width * filters) for filters in stage] for stage in self.stages[size]]
        pools = [Window(f"pool{i + 1} (2×2; size: {size})", 2, 2) for i in range(len(stages))]
        grid = size_after(self.name, pools, (image[0], image[1]))
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

        Its networks with batch norm have biases before it, so only those without are shared.
        """
        layer, _, kind = key.rpartition(".")
        known = _torchvision(cls.stages["published"])
        return f"{known[layer]}.{kind}" if layer in known else key


def _torchvision(stages: Sequence[Sequence[int]]) -> dict[str, str]:
    """Return torchvision's name of each layer with weights → ours."""
    found = {"classifier.0": "dense1", "classifier.3": "dense2", "classifier.6": "output"}
    place = 0
    for number, stage in enumerate(stages, start=1):
        for n in range(1, len(stage) + 1):
            found[f"features.{place}"] = f"convolution{number}_{n}"
            place += 2  # the ReLU counts, too
        place += 1  # and the pooling
    return found
