"""Local warping: a smooth field of random displacements, drawn anew for each picture."""

from functools import cache

import torch
from torch import Tensor

from gapwise.training.augmentation.draw import Draw

CELLS = 4
"""Cells along each side; the displacement bends within a cell, so whole strokes move together."""

KNOTS = CELLS + 3


def displacements(draw: Draw, most: float, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return how far each pixel is displaced to the right and down, each (n, height, width).

    Each is a uniform cubic B-spline through a net of random values in ± ``most`` pixels: smooth to
    its second derivative and nowhere beyond ± ``most``. Below 0.4 of a cell (a tenth of the side)
    no picture is folded over, whatever was drawn (Choi and Lee, 2000).
    """
    net = most * draw.signed_rows("warp", 2 * KNOTS * KNOTS)
    net = net.reshape(-1, 2, KNOTS, KNOTS)
    rows, columns = (_spline(side, net.device) for side in (height, width))
    field = _weighted(_weighted(net.mT, rows).mT, columns)
    return field[:, 0], field[:, 1]


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    """Return ``values @ weights``, to the bit the same in a batch of any size.

    A matrix product may add in another order in another batch.

    Args:
        values: (…, KNOTS).
        weights: (KNOTS, length).
    """
    total = values[..., :1] * weights[0]
    term = torch.empty_like(total)
    for k in range(1, KNOTS):
        total += torch.mul(values[..., k, None], weights[k], out=term)
    return total


@cache
def _spline(length: int, device: torch.device) -> Tensor:
    """Return (KNOTS, length): the weight of each value of the net at each pixel of a side."""
    at = (torch.arange(length, dtype=torch.float64) + 0.5) / length * CELLS
    cell = at.floor()
    t = at - cell
    weights = torch.stack(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]
    )
    spline = torch.zeros(KNOTS, length, dtype=torch.float64)
    spline.scatter_(0, cell.long() + torch.arange(4)[:, None], weights / 6)
    return spline.to(device, torch.float32)
