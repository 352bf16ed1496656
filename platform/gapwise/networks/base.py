"""The family of networks, and what its members share.

A network is an ``nn.Module`` class made with ``(*, input_shape, outputs, options…)``: the shape of
one example without the batch, the count of output units, and its own options with defaults.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from gapwise.errors import PipelineError
from gapwise.registry import Family

NETWORKS: Family[type[nn.Module]] = Family("gapwise.networks", "network")


@dataclass(frozen=True)
class Window:
    """A layer that slides a window over an image: a convolution or a pooling."""

    layer: str
    kernel: int
    stride: int = 1
    padding: int = 0

    def output_size(self, size: int) -> int:
        """Return ⌊(n + 2p − f)/s⌋ + 1 (notes 5.2 to 5.4), below 1 where the window does not fit."""
        return (size + 2 * self.padding - self.kernel) // self.stride + 1


def image_shape(network: str, input_shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return ``input_shape`` as (channels, height, width).

    Raises:
        PipelineError: the examples are no images.
    """
    if len(input_shape) != 3:
        raise PipelineError(
            f"network {network} wants images (channels, height, width), but an example has shape "
            f"{input_shape}; use network multilayer-perceptron"
        )
    channels, height, width = input_shape
    return channels, height, width


def size_after(network: str, windows: Sequence[Window], shape: tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) of the map after all ``windows``.

    Raises:
        PipelineError: a window does not fit; names the layer and the smallest image that fits.
    """
    height, width = shape
    for window in windows:
        height, width = window.output_size(height), window.output_size(width)
        if min(height, width) < 1:
            side = _smallest(windows)
            raise PipelineError(
                f"network {network}: layer {window.layer} does not fit an image of "
                f"{shape[0]}×{shape[1]}; the smallest that fits is {side}×{side}"
            )
    return height, width


def _smallest(windows: Sequence[Window]) -> int:
    """Walk back from a map of one pixel: n = (out − 1)·s + f − 2p."""
    size = 1
    for window in reversed(windows):
        size = max((size - 1) * window.stride + window.kernel - 2 * window.padding, 1)
    return size


def initialize(network: nn.Module) -> None:
    """Draw weights as He et al. (2015) for ReLU networks: variance 2/n, biases 0 (notes 3.6).

    Uses torch's global generator, so that the seed set before decides the weights.

    Raises:
        ValueError: a layer has no units.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            if not module.weight.numel():
                raise ValueError("a layer has 0 units; every layer needs at least 1")
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def count_parameters(network: nn.Module) -> int:
    """Return the count of trainable parameters."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
