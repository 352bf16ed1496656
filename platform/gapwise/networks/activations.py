"""The non-linearities between layers (notes 2.3), and where batch norm stands to them (3.15)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from torch import nn

ActivationName = Literal["relu", "leaky-relu", "tanh", "sigmoid"]
NormPlace = Literal["none", "before", "after"]

_NOTHING: Mapping[str, nn.Module] = MappingProxyType({})


def activation(name: ActivationName, slope: float = 0.01) -> nn.Module:
    """Return the non-linearity called ``name``; ``slope`` is leaky ReLU's below 0.

    Raises:
        ValueError: the slope is not in [0, 1), so that max(slope·z, z) is no leaky ReLU.
    """
    if not 0 <= slope < 1:
        raise ValueError(f"slope is {slope}, but must be at least 0 and below 1")
    made: dict[ActivationName, nn.Module] = {
        "relu": nn.ReLU(),
        "leaky-relu": nn.LeakyReLU(slope),
        "tanh": nn.Tanh(),
        "sigmoid": nn.Sigmoid(),
    }
    return made[name]


def weight_variance(name: ActivationName, slope: float = 0.01) -> float:
    """Return n times the variance of weights that keeps a layer's outputs as large as its inputs.

    2 for ReLU, 2/(1 + slope²) for leaky ReLU (He et al. 2015), and 1 for tanh and sigmoid, which
    are near linear around 0 (Xavier; notes 3.6).
    """
    if name == "leaky-relu":
        return 2 / (1 + slope**2)
    return 2.0 if name == "relu" else 1.0


@dataclass(frozen=True)
class Nonlinearity:
    """What follows each weighted layer of a network.

    Attributes:
        name, slope: of the non-linearity.
        batch_norm: where each layer is normalised; ``before`` is what the notes advise (3.15).
    """

    name: ActivationName
    slope: float
    batch_norm: NormPlace

    @property
    def bias(self) -> bool:
        """Whether the layer before it has a bias: a norm right behind makes it meaningless."""
        return self.batch_norm != "before"

    @property
    def variance(self) -> float:
        """n times the variance of the first weights."""
        return weight_variance(self.name, self.slope)

    def behind(
        self,
        layer: str,
        norm: nn.Module,
        pool: Mapping[str, nn.Module] = _NOTHING,
        dropout: float = 0.0,
    ) -> dict[str, nn.Module]:
        """Return the units that follow ``layer``, by name, in their order.

        Args:
            layer: name of the weighted layer.
            norm: batch norm for its units.
            pool: pooling by its name. It comes before the non-linearity, which rises and so gives
                the same numbers there as behind it, on fewer units.
            dropout: share of units switched off, at the end.
        """
        between: dict[str, nn.Module] = {}
        if self.batch_norm == "before":
            between[f"{layer}_norm"] = norm
        between |= pool
        between[f"{layer}_activation"] = activation(self.name, self.slope)
        if self.batch_norm == "after":
            between[f"{layer}_norm"] = norm
        if dropout:
            between[f"{layer}_dropout"] = nn.Dropout(dropout)
        return between
