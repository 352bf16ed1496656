"""The family of networks, and what its members share.

A network is an ``nn.Module`` class made with ``(*, input_shape, outputs, options…)``: the shape of
one example without the batch, the count of output units, and its own options with defaults. The
built-in ones are ``Chain``s, and list in ``published`` the sizes whose numbers are known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from gapwise.errors import PipelineError
from gapwise.registry import Family

NETWORKS: Family[type[nn.Module]] = Family("gapwise.networks", "network")


WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear)
"""The layers whose first weights ``initialize`` draws; recurrent cells keep torch's own."""


class Branched(NamedTuple):
    """What a network with side branches gives while it trains; evaluated, it gives ``main`` alone.

    Attributes:
        main: (n, units), the outputs.
        sides: the outputs of the side branches, each (n, units).
        weight: share of each side branch's loss that is added to the main one's (notes 5.13).
    """

    main: Tensor
    sides: tuple[Tensor, ...]
    weight: float


@dataclass(frozen=True, kw_only=True)
class Published:
    """One size of a network and the numbers that it must have there.

    Attributes:
        name: what ``gapwise networks`` calls it (``efficientnet-b0``).
        input_shape: shape of one example, without the batch.
        outputs: units of the last layer.
        options: the network's options that make this size.
        notes: section of the notes (``5.10.1``).
        parameters: trainable parameters.
        macs: multiply-accumulates of one example's forward pass, in evaluation mode.
    """

    name: str
    input_shape: tuple[int, ...]
    outputs: int
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: str
    parameters: int
    macs: int


class Chain(nn.Module):
    """A network that is its children, one after the other, in the order of their definition.

    Attributes:
        published: the sizes whose numbers are known; the first is the one that the name stands for.
        aside: names of the children that are no part of that way: side branches.
        gives: units in a ``row``, (n, units), or (n, units, height, width) for each cell of a
            ``grid``, or for the ``pixels`` of the image.
    """

    gives: ClassVar[str] = "row"
    published: ClassVar[tuple[Published, ...]] = ()
    aside: ClassVar[tuple[str, ...]] = ()

    def forward(self, x: Tensor) -> Tensor | Branched:
        """Return (batch, outputs), or a map of outputs, for x: (batch, *input_shape)."""
        for child in self.way():
            x = child(x)
        return x

    def append(self, **units: nn.Module) -> None:
        """Put units behind those that are there, each under its name."""
        for name, unit in units.items():
            self.add_module(name, unit)

    def way(self) -> list[nn.Module]:
        """Return the children from the inputs to the outputs, side branches left out."""
        return [child for name, child in self.named_children() if name not in self.aside]


GIVEN: Mapping[str, str] = {
    "row": "units in a row",
    "grid": "units at each cell of a grid",
    "pixels": "units at each pixel",
}


def gives(network: nn.Module | type[nn.Module]) -> str:
    """Return what a network gives: a ``row`` where it does not say."""
    return str(getattr(network, "gives", "row"))


def layers(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the network's units in order, each with its dotted name.

    Nested ``Sequential``s are opened; anything else (a layer, a residual block) is one unit, and so
    is the whole of a network that is no ``Chain``, whose order nobody knows. Side branches are left
    out.
    """
    return list(_units("", network))


def _units(name: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    if not isinstance(module, Chain | nn.Sequential):
        yield name, module
        return
    aside = module.aside if isinstance(module, Chain) else ()
    for child_name, child in module.named_children():
        if child_name not in aside:
            yield from _units(f"{name}.{child_name}" if name else child_name, child)


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
        PipelineError: a window does not fit; names the layer, the map that it got and the smallest
            image that fits.
    """
    height, width = shape
    for window in windows:
        got = height, width
        height, width = window.output_size(height), window.output_size(width)
        if min(height, width) < 1:
            side = _smallest(windows)
            raise PipelineError(
                f"network {network}: layer {window.layer} does not fit the map of "
                f"{got[0]}×{got[1]} that it gets from images of {shape[0]}×{shape[1]}; "
                f"the smallest that fits is {side}×{side}"
            )
    return height, width


def shares(dropout: float | Sequence[float], count: int, last: int) -> list[float]:
    """Return the dropout of each of ``count`` layers; one number stands for the ``last`` of them.

    Raises:
        ValueError: there are not as many numbers as layers.
    """
    if isinstance(dropout, Sequence):
        if len(dropout) != count:
            raise ValueError(
                f"dropout has {len(dropout)} numbers, but {count} layers may have some"
            )
        return list(dropout)
    return [0.0] * (count - last) + [dropout] * last


def _smallest(windows: Sequence[Window]) -> int:
    """Walk back from a map of one pixel: n = (out − 1)·s + f − 2p."""
    size = 1
    for window in reversed(windows):
        size = max((size - 1) * window.stride + window.kernel - 2 * window.padding, 1)
    return size


def initialize(network: nn.Module, variance: float = 2.0) -> None:
    """Draw weights with variance/n around 0, n the inputs of a unit; biases are 0 (notes 3.6).

    2/n is that of He et al. (2015) for ReLU. Uses torch's global generator, so that the seed set
    before decides the weights.

    Raises:
        ValueError: a layer has no units.
    """
    for module in network.modules():
        if isinstance(module, WEIGHTED):
            if not module.weight.numel():
                raise ValueError("a layer has 0 units; every layer needs at least 1")
            nn.init.normal_(module.weight, 0.0, sqrt(variance) / sqrt(module.weight[0].numel()))
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def count_parameters(network: nn.Module) -> int:
    """Return the count of trainable parameters."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
