"""The pieces of pictures that excite a unit most, the strongest first (notes 8.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gapwise.figures.tiles import Tile, tiles

__all__ = ["patches"]


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A piece of an example's picture: what a unit sees when it is most excited.

    Attributes:
        picture: (height, width) or (height, width, 3) uint8.
        example_id: whose picture it is.
        activation: of the unit.
        rows: of the picture that the piece covers, first and last.
        columns: the same.
    """

    picture: NDArray[np.uint8]
    example_id: str
    activation: float
    rows: tuple[int, int]
    columns: tuple[int, int]


def patches(shown: Sequence[Patch], *, columns: int = 9) -> go.Figure:
    """Draw patches with their activation and whose they are."""
    return tiles([_tile(one) for one in shown], columns=columns, side=92)


def example() -> go.Figure:
    """Draw two patches (made-up numbers)."""
    ramp: NDArray[Any] = np.arange(0, 250, 10, dtype=np.uint8).reshape(5, 5)
    one = Patch(picture=ramp, example_id="a/7", activation=3.2, rows=(2, 6), columns=(0, 4))
    two = Patch(picture=ramp.T, example_id="a/9", activation=-2.9, rows=(0, 4), columns=(8, 12))
    return patches([one, two], columns=2)


def _tile(one: Patch) -> Tile:
    where = f"rows {one.rows[0]}–{one.rows[1]}, columns {one.columns[0]}–{one.columns[1]}"
    activation = f"{one.activation:.3g}".replace("-", "−")
    hover = [one.example_id, f"activation {activation}", where]
    return Tile(picture=one.picture, captions=[activation, one.example_id], hover=hover)
