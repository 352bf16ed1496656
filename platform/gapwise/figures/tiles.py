"""A grid of small pictures, each with a line of text: filters, feature maps, patches."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image

from gapwise.figures import palette, style, words

__all__ = ["tiles"]

LEAST_SIDE = 96
TEXT_ROOM = 26


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One small picture.

    Attributes:
        picture: (height, width) or (height, width, 3) uint8.
        caption: one short line below it; text from data is welcome.
        hover: lines that a pointer brings up; text from data is welcome.
        chosen: drawn with a frame.
    """

    picture: NDArray[np.uint8]
    caption: str = ""
    hover: Sequence[str] = ()
    chosen: bool = False


def tiles(pictures: Sequence[Tile], *, columns: int, side: int = 84) -> go.Figure:
    """Draw pictures in rows, each in the middle of its cell; a point on each can be chosen.

    Args:
        pictures: in reading order.
        columns: pictures a row.
        side: height of a picture in pixels; its width follows, as far as the cell has room.
    """
    rows = max(1, -(-len(pictures) // columns))
    captioned = any(tile.caption for tile in pictures)
    cell = side + (TEXT_ROOM if captioned else 8)
    drawn = style.figure([], height=rows * cell + 4, left=0, right=0)
    share = side / cell
    for place, tile in enumerate(pictures):
        x, y = place % columns, -(place // columns)
        _picture(drawn, tile, x, y, share)
        if tile.caption:
            text = words.plotly_text(words.short(tile.caption, 16))
            color = palette.INK if tile.chosen else palette.MUTED
            style.note(drawn, text, x=x, y=y - share, yanchor="top", font_color=color,
                       font_size=12)  # fmt: skip
    drawn.add_scatter(
        x=[place % columns for place in range(len(pictures))],
        y=[-(place // columns) - share / 2 for place in range(len(pictures))],
        mode="markers",
        marker={"size": side * 0.9, "opacity": 0, "symbol": "square"},
        hovertemplate=[_hover(tile) for tile in pictures],
    )
    drawn.update_xaxes(visible=False, range=[-0.5, columns - 0.5])
    drawn.update_yaxes(visible=False, range=[-rows, 0.04])
    drawn.update_layout(margin={"t": 2, "b": 2})
    return drawn


def example() -> go.Figure:
    """Draw three grey ramps (made-up numbers)."""
    ramp = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)
    pictures = [Tile(picture=ramp, caption=str(k), hover=["a ramp"], chosen=k == 1) for k in (0, 1)]
    return tiles([*pictures, Tile(picture=np.stack([ramp, ramp, ramp], axis=2))], columns=3)


def signed(values: NDArray[Any], most: float) -> NDArray[np.uint8]:
    """Return values in [−most, most] as colours (…, 3): blue below 0, white at 0, red above."""
    share = np.clip(np.nan_to_num(np.asarray(values, float)) / (most or 1.0), -1, 1)[..., None]
    ends = np.where(share < 0, _rgb(palette.BLUE), _rgb(palette.RED))
    colours = 255 + np.abs(share) * (ends - 255)
    return np.asarray(np.rint(colours), np.uint8)


def greys(values: NDArray[Any], most: float) -> NDArray[np.uint8]:
    """Return values in [0, most] as greys, 0 black."""
    share = np.clip(np.nan_to_num(np.asarray(values, float)) / (most or 1.0), 0, 1)
    return np.asarray(np.rint(255 * share), np.uint8)


def _picture(drawn: go.Figure, tile: Tile, x: float, y: float, share: float) -> None:
    drawn.add_layout_image(
        source=_png(tile.picture), xref="x", yref="y", x=x, y=y, sizex=0.92, sizey=share,
        xanchor="center", yanchor="top", sizing="contain", layer="above",
    )  # fmt: skip
    if tile.chosen:
        drawn.add_shape(
            type="rect", x0=x - 0.49, x1=x + 0.49, y0=y + 0.03, y1=y - 0.98,
            line={"color": palette.BLUE, "width": 1.5}, fillcolor=palette.PALE, layer="below",
        )  # fmt: skip


def _hover(tile: Tile) -> str:
    lines = [words.plotly_text(line).replace("%{", "% {") for line in tile.hover]
    return "<br>".join(lines) + "<extra></extra>"


def _png(picture: NDArray[np.uint8]) -> str:
    """Return a picture as a data URI; small ones are enlarged by whole pixels to stay sharp."""
    factor = max(1, -(-LEAST_SIDE // max(1, *picture.shape[:2])))
    large = np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1)
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(large, dtype=np.uint8)).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _rgb(color: str) -> NDArray[np.float64]:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], float)
