"""Filters that people wrote to find edges, beside which learned ones are looked at (notes 5.1)."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

Filter = tuple[tuple[int, ...], ...]

VERTICAL_EDGE: Filter = ((1, 0, -1), (1, 0, -1), (1, 0, -1))
"""Bright on the left and dark on the right gives a positive number, the reverse a negative one."""

HORIZONTAL_EDGE: Filter = ((1, 1, 1), (0, 0, 0), (-1, -1, -1))

SOBEL: Filter = ((1, 0, -1), (2, 0, -2), (1, 0, -1))
"""Weighs the middle row more, which makes it more robust."""

SCHARR: Filter = ((3, 0, -3), (10, 0, -10), (3, 0, -3))

EDGES: Mapping[str, Filter] = MappingProxyType(
    {"vertical edge": VERTICAL_EDGE, "Sobel": SOBEL, "Scharr": SCHARR}
)
"""The notes' filters for vertical edges by their names."""


def as_weight(*filters: Filter, channels: int = 1) -> Tensor:
    """Return filters as a convolution's weight: (filters, channels, height, width) float32."""
    weight = torch.tensor(filters, dtype=torch.float32)[:, None]
    return weight.expand(-1, channels, -1, -1).contiguous()
