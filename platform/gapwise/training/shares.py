"""A batch in parts: each part's share of the batch's mean, so that the shares add up to it."""

import torch
from torch import Tensor

from gapwise.training.distributed import world
from gapwise.training.feeds import Batch


def parts(batch: Batch, count: int) -> list[Batch]:
    """Cut a batch into ``count`` parts of nearly equal size, in order.

    None is empty, but where processes that share a batch must all take as many.
    """
    if world().size == 1:
        count = min(count, len(batch.positions))
    if count == 1:
        return [batch]
    cuts = [
        torch.tensor_split(column, count)
        for column in (batch.inputs, batch.targets, batch.positions)
    ]
    weights = [None] * count if batch.weights is None else torch.tensor_split(batch.weights, count)
    return [
        Batch(inputs, targets, weight, positions)
        for inputs, targets, positions, weight in zip(*cuts, weights, strict=True)
    ]


def total_weight(weights: Tensor | None, count: int) -> Tensor | int:
    """Return what losses are divided by: the sum of their weights, else their count."""
    if weights is None:
        return count
    # A batch of which nothing counts has a loss of 0, and moves nothing.
    return weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)


def share(values: Tensor, weights: Tensor | None, whole: Tensor | int) -> Tensor:
    """Return the weighted sum of ``values`` (n,) over ``whole``, a scalar."""
    return (values if weights is None else values * weights).sum() / whole


def mean(values: Tensor, weights: Tensor | None) -> Tensor:
    """Return the weighted mean of ``values`` (n,)."""
    return share(values, weights, total_weight(weights, len(values)))
