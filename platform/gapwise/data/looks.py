"""How an example that is no row is shown as a picture."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.inputs import kind_of

WHITE = 255
BETWEEN = 1
"""Pixels of a line between views of a volume."""


PIXEL = "pixel "
"""The columns of a row that are a picture's are called ``pixel 0,3,7``: channel, row, column."""


def pixel_names(shape: tuple[int, int, int]) -> tuple[str, ...]:
    """Return the columns' names of a picture (channels, height, width), in their order."""
    return tuple(PIXEL + ",".join(map(str, place)) for place in np.ndindex(*shape))


def pixels(feature_names: Sequence[str]) -> tuple[int, ...]:
    """Return the shape of the picture that rows begin with, () where they do not."""
    last = next((name for name in reversed(feature_names) if name.startswith(PIXEL)), "")
    return tuple(int(place) + 1 for place in last.removeprefix(PIXEL).split(",")) if last else ()


def picture_of(
    example: NDArray[Any], feature_names: Sequence[str] = ()
) -> NDArray[np.uint8] | None:
    """Return an example as a picture, (height, width) or (height, width, 3); None if it has none.

    Args:
        example: as it is stored.
        feature_names: of a row; it may begin with a picture's pixels.

    A sequence is drawn as its channels over time, low ones at the bottom, from its least value
    (dark) to its largest; what is silent to the end is left off. A volume is seen from above, from
    the front and from the side, side by side: each pixel is the largest value behind it.
    """
    if shape := pixels(feature_names):
        example = example[: prod(shape)].reshape(shape).astype(np.uint8)
    kind = kind_of(example.shape, example.dtype)
    if kind == "picture":
        grey = len(example) == 1
        return np.asarray(example[0] if grey else example[:3].transpose(1, 2, 0))
    if kind == "sequence":
        low, high = float(example.min()), float(example.max())
        heard = np.flatnonzero((example > low).any(0))
        example = example[:, : heard[-1] + 1] if len(heard) else example
        scale = WHITE / (high - low) if high > low else 0.0
        return np.asarray(((example[::-1] - low) * scale).round(), np.uint8)
    return _views(example[0]) if kind == "volume" else None


def _views(volume: NDArray[Any]) -> NDArray[np.uint8]:
    views: list[NDArray[np.uint8]] = [np.asarray(volume.max(axis)) for axis in range(3)]
    height = max(len(view) for view in views)
    high = max(int(np.max(volume)), 1)
    parts: list[NDArray[np.uint8]] = []
    for view in views:
        scaled = np.asarray(view * (WHITE / high), np.uint8)
        parts.append(np.pad(scaled, ((0, height - len(view)), (0, 0))))
        parts.append(np.full((height, BETWEEN), WHITE // 2, np.uint8))
    return np.concatenate(parts[:-1], axis=1)
