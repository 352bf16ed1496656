"""The multilayer perceptron (notes 1.2 to 1.4, 3.18)."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import ClassVar

from torch import nn

from gapwise.networks.activations import ActivationName, Nonlinearity, NormPlace
from gapwise.networks.base import Chain, Published, initialize, shares

__all__ = ["MultilayerPerceptron"]


class MultilayerPerceptron(Chain):
    """Dense layers with a non-linearity between them; images are flattened.

    With ``hidden=[25, 12]``, 12,288 inputs and 6 outputs it is the network of notes 3.18
    (307,615 parameters).

    Args:
        input_shape: shape of one example.
        outputs: units of the last layer.
        hidden: units of each hidden layer; with none it is ``logistic-regression``.
        activation: what follows each hidden layer (notes 2.3).
        slope: of leaky ReLU below 0.
        batch_norm: normalise each hidden layer before or after its non-linearity (notes 3.15);
            before it, the layer's bias is left out.
        dropout: share of units switched off while training (notes 3.4.2): one number for all
            hidden layers, or one for each.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="multilayer-perceptron",
            input_shape=(3, 64, 64),
            outputs=6,
            options={"hidden": (25, 12)},
            notes="3.18",
            parameters=307_615,
            macs=307_572,
        ),
        Published(
            name="multilayer-small",
            input_shape=(1, 28, 28),
            outputs=10,
            notes="1.4",
            parameters=101_770,
            macs=101_632,
        ),
    )

    def __init__(  # noqa: PLR0913 - one option each
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        hidden: Sequence[int] = (128,),
        activation: ActivationName = "relu",
        slope: float = 0.01,
        batch_norm: NormPlace = "none",
        dropout: float | Sequence[float] = 0.0,
    ) -> None:
        super().__init__()
        follow = Nonlinearity(activation, slope, batch_norm)
        dropped = shares(dropout, count=len(hidden), last=len(hidden))
        sizes = (prod(input_shape), *hidden)
        self.append(flatten=nn.Flatten())
        for i, (units_in, units) in enumerate(pairwise(sizes)):
            name = f"dense{i + 1}"
            self.append(
                **{name: nn.Linear(units_in, units, bias=follow.bias)},
                **follow.behind(name, nn.BatchNorm1d(units), dropout=dropped[i]),
            )
        self.append(output=nn.Linear(sizes[-1], outputs))
        initialize(self, follow.variance)
