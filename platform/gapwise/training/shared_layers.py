"""Layers that look at a whole batch although each process has only its share of it."""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from gapwise.training.distributed import added, examples_together, own_slice, world


class _Added(torch.autograd.Function):
    """A sum over the processes, whose gradient is the sum of their gradients."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        """Return the sum."""
        return added(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the sum of what each process's loss says of the sum."""
        return added(gradient.contiguous())


def _added_with_gradient(value: Tensor) -> Tensor:
    total: Tensor = _Added.apply(value)  # type: ignore[no-untyped-call]
    return total


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over the examples of all processes, on CPUs and GPUs (notes 3.15).

    torch's ``SyncBatchNorm`` runs on GPUs alone. Outside of shared training it is torch's own.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, x: Tensor) -> Tensor:
        """Return x: (batch, channels, …) normalised by channel.

        Raises:
            ValueError: the processes have a single value a channel.
        """
        if not self.training or world().size == 1:
            return super().forward(x)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1, *[1] * (x.ndim - 2)]
        count = examples_together() * x.shape[2:].numel()
        if count == 1:
            raise ValueError("Expected more than 1 value per channel when training")
        wide = x.float()
        mean = _added_with_gradient(wide.sum(axes)) / count
        centred = wide - mean.view(shape)
        variance = _added_with_gradient(centred.square().sum(axes)) / count
        self._follow(mean.detach(), variance.detach() * (count / (count - 1)))
        scaled = centred * torch.rsqrt(variance + self.eps).view(shape)
        return (scaled * self.weight.view(shape) + self.bias.view(shape)).to(x.dtype)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running averages, as torch's own do (notes 3.16)."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), self.momentum)
        self.num_batches_tracked.add_(1)


class SharedDraws(nn.Module):
    """In front of a dropout's class: draws for the examples of all processes, drops in its own.

    Every process draws the same, as one process alone would: the generators are seeded alike. The
    dropout's draws must depend on shape and kind of its input alone (notes 3.4.2).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return x: (batch, …) with some entries 0 and the others enlarged."""
        if not self.training or world().size == 1:
            return super().forward(x)  # type: ignore[no-any-return]
        together = examples_together()
        ones = x.new_ones((together, *x.shape[1:]))
        if x.ndim == 4 and not x.is_contiguous():
            # Draws follow the order in memory.
            ones = ones.contiguous(memory_format=torch.channels_last)
        kept: Tensor = super().forward(ones)
        return x * kept[own_slice(together)]


def share_layers(model: nn.Module) -> None:
    """Let every batch norm and dropout of ``model`` look at whole batches, in place."""
    if world().size == 1:
        return
    for module in model.modules():
        # The class alone changes: whoever holds the layer, to freeze it, still holds the same.
        if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
            module.__class__ = SharedBatchNorm
        elif isinstance(module, nn.Dropout) and not isinstance(module, SharedDraws):
            kind: Any = type(module)
            module.__class__ = _with_shared_draws(kind)


@cache
def _with_shared_draws(kind: Any) -> Any:
    return type(f"Shared{kind.__name__}", (SharedDraws, kind), {})
