"""Layers that do not train, before those that do (notes 4.16, 5.16).

A layer is a unit of the network with weights of more than one dimension: a convolution, a dense
layer, a residual block. What stands between two layers (batch norm, activation, pooling) belongs to
the one before; dropout that what trains is fed through goes on dropping.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gapwise.errors import PipelineError
from gapwise.networks.base import Chain, layers
from gapwise.training.model import Model

Unit = tuple[str, nn.Module]

_DROPPING = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)


def freeze(model: Model, train_last: int) -> None:
    """Freeze all but the last ``train_last`` layers, with their batch norm's running averages.

    Raises:
        PipelineError: the network has fewer layers, or is none whose order is known.
    """
    name = model.spec.network["name"]
    if not isinstance(model.network, Chain):
        raise PipelineError(
            f"transfer.train_last is {train_last}, but network {name} is no chain of layers, of "
            "which some could be said to come last; leave transfer.train_last empty"
        )
    units = layers(model.network)
    starts = [at for at, (_, unit) in enumerate(units) if _is_layer(unit)]
    if train_last > len(starts):
        names = ", ".join(units[at][0] for at in starts)
        raise PipelineError(
            f"transfer.train_last is {train_last}, but network {name} has {len(starts)} layers "
            f"with weights ({names}); set it to {len(starts)} at most"
        )
    begin = _begin(units, starts[-train_last])
    model.frozen = tuple(unit for _, unit in units[:begin])
    for unit in model.frozen:
        unit.requires_grad_(requires_grad=False)
    model.train()


def thaw(model: Model) -> None:
    """Let all layers of ``model`` train."""
    for unit in model.frozen:
        unit.requires_grad_(requires_grad=True)
    model.frozen = ()
    model.train()


def frozen_outputs(model: Model, inputs: Tensor) -> Tensor:
    """Return what the frozen units make of raw inputs: (n, …)."""
    x = model.normalised(inputs)
    for unit in model.frozen:
        x = unit(x)
    return x


def check_can_precompute(model: Model) -> None:
    """Refuse a network whose trained part needs more than the outputs of the frozen one.

    Raises:
        PipelineError: nothing is frozen, or the network has side branches.
    """
    network, name = model.network, model.spec.network["name"]
    if not model.frozen:
        raise PipelineError(
            f"transfer.precompute has nothing to compute once: transfer.train_last trains all "
            f"layers of network {name}; lower it, or set transfer.precompute=false"
        )
    if isinstance(network, Chain) and len(network.way()) < len(list(network.children())):
        raise PipelineError(
            f"transfer.precompute passes by the side branches of network {name}; train it without "
            "them, or set transfer.precompute=false"
        )


class Tail(nn.Module):
    """What of a model trains; it takes the outputs of what is frozen."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        units = layers(model.network)[len(model.frozen) :]
        self.units = nn.ModuleList(unit for _, unit in units)
        self.channels_last = model.channels_last

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, units) for the frozen units' outputs."""
        x = features
        if self.channels_last and x.ndim == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        for unit in self.units:
            x = unit(x)
        return x


def _is_layer(unit: nn.Module) -> bool:
    return any(weight.ndim > 1 for weight in unit.parameters())


def _begin(units: Sequence[Unit], first: int) -> int:
    """Return where what trains begins: at its first layer, or at a dropout right before that."""
    begin = first
    for at in range(first - 1, -1, -1):
        unit = units[at][1]
        if next(unit.parameters(), None) is not None:
            break
        if any(isinstance(module, _DROPPING) for module in unit.modules()):
            begin = at
    return begin
