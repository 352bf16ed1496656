"""The notes' first networks of logistic units, AND, OR, NOR and XOR among them (notes 1.2, 1.3)."""

from collections.abc import Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from gapwise.networks.base import Chain, Published, initialize

__all__ = ["Perceptron"]

Gate = Literal["and", "or", "nor", "xnor", "xor"]

THETA: Mapping[str, Sequence[float]] = MappingProxyType(
    {"and": (-30, 20, 20), "or": (-10, 20, 20), "nor": (10, -20, -20)}
)
"""The notes' Θ: the weight of the bias unit x₀ = 1, then those of the two inputs."""


class Perceptron(Chain):
    """Logistic units: none or one layer of them hidden, and one an output, whose z it returns.

    ``sigmoid`` of the outputs is the hypothesis h(x) of notes 1.2; above 0 says yes.

    Args:
        input_shape: shape of one example; images are flattened.
        outputs: units of the last layer.
        hidden: hidden units; 2 suffice for XOR, and with 0 it is a single layer, which cannot learn
            it.
    """

    published: ClassVar[tuple[Published, ...]] = (
        Published(
            name="perceptron",
            input_shape=(2,),
            outputs=1,
            notes="1.3",
            parameters=9,
            macs=6,
        ),
        Published(
            name="perceptron-unit",
            input_shape=(2,),
            outputs=1,
            options={"hidden": 0},
            notes="1.2",
            parameters=3,
            macs=2,
        ),
    )

    def __init__(self, *, input_shape: tuple[int, ...], outputs: int, hidden: int = 2) -> None:
        super().__init__()
        inputs = prod(input_shape)
        self.append(flatten=nn.Flatten())
        if hidden:
            self.append(hidden=nn.Linear(inputs, hidden), sigmoid=nn.Sigmoid())
        self.append(output=nn.Linear(hidden or inputs, outputs))
        initialize(self, variance=1.0)


def logical(gate: Gate) -> Perceptron:
    """Return the notes' network for ``gate``, which takes (batch, 2) of 0 and 1.

    XNOR is OR of (AND, NOR). The notes write AB + A̅B̅ for XOR, which is XNOR, as in the course that
    they follow; XOR is NOR of the same two, one Θ exchanged.
    """
    if gate in THETA:
        return _with(Perceptron(input_shape=(2,), outputs=1, hidden=0), THETA[gate])
    last = THETA["or" if gate == "xnor" else "nor"]
    return _with(Perceptron(input_shape=(2,), outputs=1), last, THETA["and"], THETA["nor"])


def _with(network: Perceptron, output: Sequence[float], *hidden: Sequence[float]) -> Perceptron:
    with torch.no_grad():
        _set(network.get_submodule("output"), torch.tensor([output]))
        if hidden:
            _set(network.get_submodule("hidden"), torch.tensor(hidden))
    return network


def _set(layer: nn.Module, theta: Tensor) -> None:
    """Give ``layer`` its Θ, (units, 1 + inputs), whose first column is the biases."""
    layer.get_parameter("bias").copy_(theta[:, 0])
    layer.get_parameter("weight").copy_(theta[:, 1:])
