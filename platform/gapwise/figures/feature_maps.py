"""Feature maps: what each unit of a layer makes of one picture, all on one scale."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gapwise.figures.tiles import Tile, greys, signed, tiles

__all__ = ["feature_maps"]

COLUMNS = 12
FEW = 8


def feature_maps(
    maps: NDArray[Any],
    names: Sequence[str],
    *,
    lowest: float,
    most: float,
    chosen: int | None = None,
) -> go.Figure:
    """Draw maps in rows; where the layer goes below 0 white is 0 and blue below, else black is 0.

    Args:
        maps: (maps, height, width).
        names: of the units, one a map.
        lowest: the lowest value in the whole layer.
        most: the greatest size of a value in the whole layer, which decides the scale.
        chosen: place of the map that is framed; None: none is.
    """
    color = signed if lowest < 0 else greys
    shown = [
        Tile(
            picture=color(one, most),
            captions=[name],
            hover=[f"unit {name}", f"highest {_number(one.max())}", f"mean {_number(one.mean())}"],
            chosen=place == chosen,
        )
        for place, (one, name) in enumerate(zip(maps, names, strict=True))
    ]
    # A few maps are worth more room.
    few = len(shown) <= FEW
    return tiles(shown, columns=FEW if few else COLUMNS, side=96 if few else 60)


def example() -> go.Figure:
    """Draw two maps, the second without any activation (made-up numbers)."""
    maps = np.stack([np.outer([0, 1, 2, 1], [0, 1, 1, 0]), np.zeros((4, 4))])
    return feature_maps(maps, ["0", "1"], lowest=0.0, most=2.0, chosen=0)


def _number(value: Any) -> str:
    return f"{float(value):.3g}".replace("-", "−")
