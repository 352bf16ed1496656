"""A classifier slid over a large image in one pass: dense layers as convolutions (notes 6.4)."""

from math import prod

import torch
from torch import Tensor, nn

from gapwise.errors import PipelineError
from gapwise.networks.base import layers

EACH = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.Dropout, nn.Identity)
WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


def as_convolutions(network: nn.Module, input_shape: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    """Return a network that says of every window of an image what ``network`` says of it alone.

    A dense layer behind a map becomes a convolution whose filter is as large as that map, one
    behind it a convolution of 1×1. Weights are shared, not copied.

    Args:
        network: a chain of convolutions without padding, poolings and dense layers.
        input_shape: (channels, height, width) of its windows.

    Returns:
        The network, which takes (n, channels, H, W) and gives (n, units, rows, columns); and the
        stride: window (i, j) begins at row i·stride and column j·stride.

    Raises:
        PipelineError: a layer pads, or is none of these: then what a window's edge sees inside a
            large image is not what it sees alone.
    """
    made: list[nn.Module] = []
    stride, shape, x = 1, input_shape, torch.zeros(1, *input_shape)
    for name, unit in layers(network.eval()):
        _check(name, unit)
        if isinstance(unit, WINDOWS):
            stride *= _both(unit.stride)
        if not isinstance(unit, nn.Flatten):  # a map stays a map: the next filter covers it
            made.append(_mapped(unit, shape))
        with torch.no_grad():
            x = unit(x)
        if x.ndim == 4:
            shape = tuple(x.shape[1:])
        elif not isinstance(unit, nn.Flatten):
            shape = (x.shape[1], 1, 1)
    return nn.Sequential(*made).eval(), stride


def _check(name: str, unit: nn.Module) -> None:
    known = (*EACH, *WINDOWS, nn.Linear, nn.Flatten, nn.BatchNorm1d, nn.BatchNorm2d)
    if not isinstance(unit, known):
        raise PipelineError(
            f"layer {name} ({type(unit).__name__}) cannot slide: only convolutions, poolings and "
            "dense layers one after the other can; use network lenet5"
        )
    if isinstance(unit, WINDOWS) and _both(unit.padding):
        raise PipelineError(
            f"layer {name} pads its map with zeros, which a window inside a large image does not "
            "have around it; use a network that does not pad, as lenet5"
        )


def _both(value: object) -> int:
    """One number where torch has one for both axes, or two that agree."""
    return int(value[0]) if isinstance(value, tuple) else int(str(value))


def _mapped(unit: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """Return what does at every place of a map what a unit does to one window's."""
    if isinstance(unit, nn.Linear):
        return _convolution(unit, shape)
    return _Norm(unit) if isinstance(unit, nn.BatchNorm1d) else unit


def _convolution(dense: nn.Linear, shape: tuple[int, ...]) -> nn.Conv2d:
    channels, height, width = shape
    made = nn.Conv2d(channels, dense.out_features, (height, width), bias=dense.bias is not None)
    assert prod(shape) == dense.in_features
    made.weight = nn.Parameter(dense.weight.view(dense.out_features, *shape), requires_grad=False)
    made.bias = dense.bias
    return made


class _Norm(nn.Module):
    """Batch norm of units, at every place of a map; in evaluation mode alone."""

    def __init__(self, norm: nn.BatchNorm1d) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised: (n, units, rows, columns)."""
        rows = x.permute(0, 2, 3, 1)
        normed: Tensor = self.norm(rows.reshape(-1, x.shape[1]))
        return normed.view(rows.shape).permute(0, 3, 1, 2)
