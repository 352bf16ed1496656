"""The family of initializers: how the first weights are drawn (notes 1.7.2 and 3.6).

A member is a class made with its options as keyword-only parameters; it gives the variance of a
layer's weights. Weights are drawn from a normal distribution around 0 and biases are 0, which does
not bring symmetry back: the weights alone break it.
"""

from math import prod, sqrt
from typing import Protocol

from torch import nn
from torch.nn.modules.conv import _ConvNd

from gapwise.registry import Family


class Initializer(Protocol):
    """The variance of the weights of a layer."""

    def variance(self, n_in: int, n_out: int) -> float:
        """Return the variance for ``n_in`` inputs of each unit and ``n_out`` units of each input.

        In a convolution a unit sees a window of its group's channels: n_in is their product.
        """


INITIALIZERS: Family[type[Initializer]] = Family("gapwise.initializers", "initializer")


def initialize(network: nn.Module, initializer: Initializer) -> None:
    """Draw the weights of all dense layers and convolutions anew, in their order; biases become 0.

    Other layers stay as they are: batch norm keeps scale 1 and shift 0. Uses torch's global
    generator, so that the seed set before decides the weights.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear | _ConvNd):
            nn.init.normal_(layer.weight, std=sqrt(initializer.variance(*fans(layer))))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def fans(layer: "nn.Linear | _ConvNd") -> tuple[int, int]:
    """Return (n_in, n_out): the inputs that a unit sees, and the units that see an input."""
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    window = prod(layer.kernel_size)
    n_in, n_out = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    return n_in * window, n_out * window
