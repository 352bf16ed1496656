"""Filters as pictures: blue below zero, white at zero, red above; of colour images in colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gapwise.figures.tiles import Tile, signed, tiles

__all__ = ["filters"]


@dataclass(frozen=True, kw_only=True)
class Filter:
    """The weights of one unit over its window: (height, width), or (3, height, width)."""

    name: str
    weights: NDArray[Any]


def filters(shown: Sequence[Filter], *, columns: int, side: int = 72) -> go.Figure:
    """Draw filters, each on its own scale: what counts is its pattern.

    Args:
        shown: in reading order.
        columns: filters a row.
        side: height of one in pixels.
    """
    return tiles([_tile(one) for one in shown], columns=columns, side=side)


def example() -> go.Figure:
    """Draw the notes' vertical-edge filter (5.1) and a filter of red against blue (made-up)."""
    edge = np.array([[1, 0, -1]] * 3)
    colour = np.stack([edge, 0 * edge, -edge])
    shown = [Filter(name="vertical edge", weights=edge), Filter(name="colour", weights=colour)]
    return filters(shown, columns=2)


def _tile(one: Filter) -> Tile:
    most = float(np.abs(np.nan_to_num(one.weights)).max(initial=0.0))
    picture = (_colours if one.weights.ndim == 3 else signed)(one.weights, most)
    low, high = float(one.weights.min()), float(one.weights.max())
    hover = [one.name, f"{low:+.3g} to {high:+.3g}".replace("-", "−")]
    return Tile(picture=picture, captions=[one.name], hover=hover)


def _colours(weights: NDArray[Any], most: float) -> NDArray[np.uint8]:
    share = np.nan_to_num(weights) / (2 * most or 1.0) + 0.5
    return np.asarray(np.rint(255 * np.moveaxis(share, 0, -1)), np.uint8)
