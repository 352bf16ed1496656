"""Tensors by name, as a checkpoint holds them: a part of them, their health, their layout."""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor


def under_prefix(tensors: Mapping[str, Tensor], prefix: str) -> Iterator[tuple[str, Tensor]]:
    """Give the tensors whose names start with ``prefix``, without it."""
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), tensor


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Return whether no entry of any floating-point tensor is NaN or infinite."""
    sums = [t.detach().double().sum() for t in tensors if t.is_floating_point()]
    return not sums or bool(torch.stack(sums).isfinite().all())


def laid_out_like(weight: Tensor, value: Tensor) -> Tensor:
    """Return ``value`` in the memory layout of ``weight``, where the two have one shape.

    Fused kernels walk weight and state side by side in memory: equal strides, equal bits.
    """
    if value.shape != weight.shape:
        return value
    return torch.empty_like(weight, dtype=value.dtype, requires_grad=False).copy_(value)
