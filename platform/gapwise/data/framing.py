"""Cutting what a box frames out of a picture: the step between finding and reading (notes 4.18)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MARGIN: Final = 0.15
"""Of a box's longer side, added on each side of it: a finder is a few pixels off."""


def framed(picture: NDArray[np.uint8], box: Sequence[float], side: int) -> NDArray[np.uint8]:
    """Return the square around a box, scaled to ``side``: (channels, side, side) uint8.

    What lies outside of the picture is black.

    Args:
        picture: (channels, height, width).
        box: left, top, right, bottom in pixels.
        side: of the result, in pixels.
    """
    x0, y0, x1, y1 = map(float, box)
    half = max(1.0, x1 - x0, y1 - y0) * (0.5 + MARGIN)
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    extent = (middle_x - half, middle_y - half, middle_x + half, middle_y + half)
    cut = [
        Image.fromarray(plane).transform(
            (side, side), Image.Transform.EXTENT, extent, Image.Resampling.BILINEAR
        )
        for plane in picture
    ]
    return np.stack([np.asarray(plane) for plane in cut])
