"""The multilayer perceptron (notes 1.2 to 1.4, 3.18)."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import nn

from gapwise.networks.base import Chain, initialize

__all__ = ["MultilayerPerceptron"]


class MultilayerPerceptron(Chain):
    """Dense layers with ReLU between them; images are flattened.

    With ``hidden=[25, 12]``, 12,288 inputs and 6 outputs it is the network of notes 3.18
    (307,615 parameters).

    Args:
        input_shape: shape of one example.
        outputs: units of the last layer.
        hidden: units of each hidden layer; empty makes logistic regression.
        dropout: share of hidden units switched off while training (notes 3.4.2).
        batch_norm: normalise before each ReLU (notes 3.15).
    """

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        hidden: Sequence[int] = (128,),
        dropout: float = 0.0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        sizes = (prod(input_shape), *hidden)
        layers: list[nn.Module] = [nn.Flatten()]
        for units_in, units_out in pairwise(sizes):
            layers.append(nn.Linear(units_in, units_out, bias=not batch_norm))
            if batch_norm:
                layers.append(nn.BatchNorm1d(units_out))
            layers.append(nn.ReLU())
            if dropout:
                layers.append(nn.Dropout(dropout))
        layers.append(nn.Linear(sizes[-1], outputs))
        self.layers = nn.Sequential(*layers)
        initialize(self)
