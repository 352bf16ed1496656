"""What a network is made of: sizes, costs, and the pixels that each layer sees (notes 5.2–5.5)."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from gapwise.networks._watch import Watch
from gapwise.networks.base import Chain, count_parameters, layers


@dataclass(frozen=True, kw_only=True)
class ReceptiveField:
    """The pixels of the image that one position of a map sees, along each axis of the image.

    Attributes:
        size: pixels from the first to the last that it sees, those outside the image counted.
        stride: pixels between the middles of two neighbours (also called jump).
        start: middle of what the first position sees; the image's first pixel is 0.
    """

    size: tuple[int, ...]
    stride: tuple[float, ...]
    start: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One unit of a network, and what it gives for one example.

    Attributes:
        name: dotted name in the network.
        kind: what it is, in words.
        output_shape: without the batch; () for a side branch, which runs in training alone.
        parameters: trainable parameters.
        macs: multiply-accumulates of convolutions and dense layers, in evaluation mode.
        receptive_field: None where there is no map: each unit may see the whole example.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    macs: int
    receptive_field: ReceptiveField | None = None


@dataclass(frozen=True, kw_only=True)
class Description:
    """The layers of a network with their totals."""

    layers: tuple[Layer, ...]
    parameters: int
    macs: int


def describe(network: nn.Module, input_shape: tuple[int, ...]) -> Description:
    """Return the layers of ``network`` for one example of ``input_shape``, in order.

    Nothing is computed: shapes alone go through the network, which stays as it is.

    Raises:
        ValueError, RuntimeError: torch's own, where a layer does not fit the shape that it gets.
    """
    units = layers(network)
    passed = _pass(network, units, input_shape)
    rows = [_layer(name, unit, passed[name]) for name, unit in units]
    rows += [
        Layer(name=name, kind="side branch", output_shape=(), parameters=count, macs=0)
        for name, count in _aside(network)
    ]
    return Description(
        layers=tuple(rows),
        parameters=count_parameters(network),
        macs=sum(row.macs for row in rows),
    )


def described(make: Callable[..., nn.Module], **options: Any) -> Description:
    """Return ``describe`` of the network that ``make`` gives for ``options``, without its memory.

    Args:
        make: a network's class.
        options: its ``input_shape``, ``outputs`` and options.
    """
    with torch.device("meta"):
        network = make(**options)
    return describe(network, options["input_shape"])


@dataclass
class _Passed:
    """What was seen when a unit ran."""

    output_shape: tuple[int, ...] = ()
    macs: int = 0
    field: ReceptiveField | None = None


def _pass(
    network: nn.Module, units: list[tuple[str, nn.Module]], shape: tuple[int, ...]
) -> Mapping[str, _Passed]:
    passed = {name: _Passed() for name, _ in units}
    x = torch.empty((1, *shape), device="meta")
    watch = Watch(x)
    hooks = [hook for name, unit in units for hook in _hooks(unit, passed[name], watch)]
    state = chain(network.named_parameters(), network.named_buffers())
    shadow = {name: torch.empty_like(value, device="meta") for name, value in state}
    try:
        with torch.no_grad(), _evaluating(network), watch:
            torch.func.functional_call(network, shadow, (x,))
    finally:
        for hook in hooks:
            hook.remove()
    return passed


def _hooks(unit: nn.Module, row: _Passed, watch: Watch) -> Iterator[Any]:
    before = Counter[int]()

    def enter(_: nn.Module, inputs: Any) -> None:
        before[0] = watch.macs

    def leave(_: nn.Module, inputs: Any, output: Tensor) -> None:
        row.output_shape = tuple(output.shape[1:])
        row.macs += watch.macs - before[0]
        row.field = _receptive_field(watch, output)

    yield unit.register_forward_pre_hook(enter)
    yield unit.register_forward_hook(leave)


def _receptive_field(watch: Watch, output: Tensor) -> ReceptiveField | None:
    field = watch.field(output)
    if not field:
        return None
    return ReceptiveField(
        size=tuple(round(span.high - span.low) + 1 for span in field),
        stride=tuple(span.stride for span in field),
        start=tuple((span.low + span.high) / 2 for span in field),
    )


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _layer(name: str, unit: nn.Module, passed: _Passed) -> Layer:
    return Layer(
        name=name or "network",
        kind=kind(unit),
        output_shape=passed.output_shape,
        parameters=count_parameters(unit),
        macs=passed.macs,
        receptive_field=passed.field,
    )


def _aside(network: nn.Module) -> Iterator[tuple[str, int]]:
    for name in network.aside if isinstance(network, Chain) else ():
        if hasattr(network, name):
            yield name, count_parameters(network.get_submodule(name))


_WORDS = {
    "ReLU": "ReLU",
    "ReLU6": "ReLU6",
    "LeakyReLU": "leaky ReLU",
    "SiLU": "SiLU",
    "Tanh": "tanh",
    "Linear": "dense",
    "BatchNorm1d": "batch norm",
    "BatchNorm2d": "batch norm",
    "ZeroPad2d": "zero padding",
    "MaxPool2d": "max pooling",
    "AvgPool2d": "mean pooling",
    "AdaptiveAvgPool2d": "mean pooling",
    "AdaptiveMaxPool2d": "max pooling",
}


def kind(unit: nn.Module) -> str:
    """Return what a unit is, in words: ``3×3 convolution, stride 2``."""
    if isinstance(unit, nn.Conv2d):
        return _convolution(unit)
    name = type(unit).__name__
    words = _WORDS.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.strip("_")).lower()
    if isinstance(unit, nn.MaxPool2d | nn.AvgPool2d):
        return f"{_size(unit.kernel_size)} {words}{_stride(unit.stride)}"
    return words


def _convolution(unit: nn.Conv2d) -> str:
    grouped = f", {unit.groups} groups" if unit.groups > 1 else ""
    if 1 < unit.groups == unit.in_channels:
        grouped = ", a channel each"
    return f"{_size(unit.kernel_size)} convolution{_stride(unit.stride)}{grouped}"


def _stride(stride: int | tuple[int, ...]) -> str:
    pair = (stride, stride) if isinstance(stride, int) else stride
    if prod(pair) == 1:
        return ""
    return f", stride {pair[0]}" if len(set(pair)) == 1 else f", stride {_size(pair)}"


def _size(size: int | tuple[int, ...]) -> str:
    pair = (size, size) if isinstance(size, int) else size
    return "×".join(map(str, pair))
