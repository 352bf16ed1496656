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
LINE_ROOM = 17
LONGEST = 13

Window = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One small picture.

    Attributes:
        picture: (height, width) or (height, width, 3) uint8.
        captions: short lines below it; text from data is welcome.
        hover: lines that a pointer brings up; text from data is welcome.
        chosen: drawn on a ground of its own.
        window: first and last row, first and last column of the piece that is framed in it.
    """

    picture: NDArray[np.uint8]
    captions: Sequence[str] = ()
    hover: Sequence[str] = ()
    chosen: bool = False
    window: Window | None = None


def tiles(pictures: Sequence[Tile], *, columns: int, side: int = 84) -> go.Figure:
    """Draw pictures in rows, each in the middle of its cell; a point on each can be chosen.

    Args:
        pictures: in reading order.
        columns: pictures a row.
        side: height of a picture in pixels; its width follows, as far as the cell has room.
    """
    rows = max(1, -(-len(pictures) // columns))
    lines = max((len(tile.captions) for tile in pictures), default=0)
    cell = side + 10 + LINE_ROOM * lines + 4 * bool(lines)
    share = side / cell
    places = [(place % columns, -(place // columns)) for place in range(len(pictures))]
    drawn = style.figure([], height=rows * cell + 4, left=0, right=0)
    drawn.update_layout(
        images=[_image(tile, *at, share) for tile, at in zip(pictures, places, strict=True)],
        shapes=[_ground(*at) for tile, at in zip(pictures, places, strict=True) if tile.chosen],
        margin={"t": 2, "b": 2},
    )
    if lines:
        drawn.add_trace(_captions(pictures, places, share))
    drawn.add_scatter(
        x=[x for x, _ in places],
        y=[y - share / 2 for _, y in places],
        mode="markers",
        marker={"size": side * 0.9, "opacity": 0, "symbol": "square"},
        hovertemplate=[_hover(tile) for tile in pictures],
    )
    drawn.update_xaxes(visible=False, range=[-0.5, columns - 0.5])
    drawn.update_yaxes(visible=False, range=[-rows, 0.04])
    return drawn


def example() -> go.Figure:
    """Draw three grey ramps (made-up numbers)."""
    ramp = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)
    grey = [Tile(picture=ramp, captions=[str(k)], hover=["a ramp"], chosen=k == 1) for k in (0, 1)]
    colour = Tile(picture=np.stack([ramp, ramp, ramp], axis=2), window=((2, 4), (1, 5)))
    return tiles([*grey, colour], columns=3)


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


def _image(tile: Tile, x: float, y: float, share: float) -> dict[str, Any]:
    return {
        "source": _png(tile), "xref": "x", "yref": "y", "x": x, "y": y, "sizex": 0.92,
        "sizey": share, "xanchor": "center", "yanchor": "top", "sizing": "contain",
        "layer": "above",
    }  # fmt: skip


def _ground(x: float, y: float) -> dict[str, Any]:
    return {
        "type": "rect", "x0": x - 0.49, "x1": x + 0.49, "y0": y + 0.03, "y1": y - 0.97,
        "line": {"color": palette.BLUE, "width": 1.5}, "fillcolor": palette.PALE,
        "layer": "below",
    }  # fmt: skip


def _captions(
    pictures: Sequence[Tile], places: Sequence[tuple[int, int]], share: float
) -> go.Scatter:
    texts = ["<br>".join(_caption(line) for line in tile.captions) for tile in pictures]
    return go.Scatter(
        x=[x for x, _ in places], y=[y - share - 0.02 for _, y in places], text=texts, mode="text",
        textposition="bottom center", hoverinfo="skip", cliponaxis=False,
        textfont={"size": 12, "color": palette.MUTED},
        # Choosing a picture must not dim what stands below the others.
        unselected={"textfont": {"color": palette.MUTED}},
    )  # fmt: skip


def _caption(line: str) -> str:
    """Return a line; of a long one the last part or the end stays, which tells ids apart."""
    short = line if len(line) <= LONGEST else line.rpartition("/")[2]
    return words.plotly_text(short if len(short) <= LONGEST else "…" + short[1 - LONGEST :])


def _hover(tile: Tile) -> str:
    lines = [words.plotly_text(line).replace("%{", "% {") for line in tile.hover]
    return "<br>".join(lines) + "<extra></extra>"


def _png(tile: Tile) -> str:
    """Return a picture in a thin line as a data URI; small ones are enlarged by whole pixels."""
    picture = tile.picture
    factor = max(1, -(-LEAST_SIDE // max(1, *picture.shape[:2])))
    large = np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1)
    large = np.array(large if large.ndim == 3 else np.stack([large] * 3, axis=2), np.uint8)
    _frame(large, (0, large.shape[0] - 1), (0, large.shape[1] - 1), palette.STEEL, 1)
    if tile.window:
        (top, bottom), (left, right) = tile.window
        rows, columns = (
            (a * factor, (b + 1) * factor - 1) for a, b in ((top, bottom), (left, right))
        )
        _frame(large, rows, columns, palette.AMBER, max(2, round(max(large.shape) / 64)))
    stream = io.BytesIO()
    Image.fromarray(large).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _frame(
    picture: NDArray[np.uint8],
    rows: tuple[int, int],
    columns: tuple[int, int],
    color: str,
    width: int,
) -> None:
    """Draw a frame into a picture, inside its first and last row and column."""
    piece = picture[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1]
    for edge in (piece[:width], piece[-width:], piece[:, :width], piece[:, -width:]):
        edge[:] = _rgb(color)


def _rgb(color: str) -> NDArray[np.float64]:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], float)
