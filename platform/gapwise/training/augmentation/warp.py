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
    # Sums by hand: a matrix product may add in another order in a batch of another size.
    bent = sum((net[:, :, k, None, :] * rows[:, k, None] for k in range(KNOTS)), start=_ZERO)
    field = sum((bent[:, :, :, k, None] * columns[:, k] for k in range(KNOTS)), start=_ZERO)
    return field[:, 0], field[:, 1]


_ZERO = torch.zeros(())


@cache
def _spline(length: int, device: torch.device) -> Tensor:
    """Return (length, KNOTS): the weight of each value of the net at each pixel of a side."""
    at = (torch.arange(length, dtype=torch.float64) + 0.5) / length * CELLS
    cell = at.floor()
    t = (at - cell)[:, None]
    weights = torch.cat(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], dim=1
    )
    spline = torch.zeros(length, KNOTS, dtype=torch.float64)
    spline.scatter_(1, cell.long()[:, None] + torch.arange(4), weights / 6)
    return spline.to(device, torch.float32)
