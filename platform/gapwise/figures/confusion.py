"""The confusion matrix: rows are the labels, columns what the network said."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gapwise.figures import palette, style, words

__all__ = ["confusion"]

MOST_WITH_TEXT = 20
MOST_ACROSS = 300
SCALE = [[0.0, "#fbfcfe"], [0.15, "#f7dfe0"], [1.0, palette.RED]]


def confusion(counts: NDArray[Any], classes: Sequence[str]) -> go.Figure:
    """Draw a confusion matrix; the right answers on the diagonal stay pale.

    Args:
        counts: (k, k) numbers of examples, rows the label, columns the prediction.
        classes: k names.
    """
    wrong = np.array(counts, dtype=float)
    np.fill_diagonal(wrong, np.nan)
    names = [words.plotly_text(words.short(name, 14)) for name in classes]
    room = round(7.5 * max((min(len(name), 14) for name in classes), default=1))
    places = list(range(len(names)))
    heat = go.Heatmap(
        z=wrong,
        x=places,
        y=places,
        colorscale=SCALE,
        zmin=0,
        zmax=max(1.0, float(np.nanmax(wrong, initial=0.0))),
        showscale=False,
        xgap=2,
        ygap=2,
        customdata=np.array(counts),
        hovertemplate="label row %{y}, said column %{x}: %{customdata}<extra></extra>",
    )
    drawn = style.figure([heat], height=min(480, 120 + 34 * len(names)), left=48 + room)
    _diagonal(drawn, len(names))
    if len(names) <= MOST_WITH_TEXT:
        _numbers(drawn, counts)
    axis = {"tickvals": places, "ticktext": names, "showgrid": False}
    drawn.update_xaxes(**axis, side="top", title_text="predicted", title_font_color=palette.MUTED)
    drawn.update_yaxes(**axis, autorange="reversed")
    drawn.update_yaxes(title_text="label", title_font_color=palette.MUTED)
    tilted = len(names) * room > MOST_ACROSS
    drawn.update_xaxes(tickangle=-90 if tilted else 0, title_standoff=4)
    drawn.update_layout(margin={"t": 44 + (room if tilted else 10), "b": 8})
    return drawn


def example() -> go.Figure:
    """Draw a matrix of three classes (made-up numbers)."""
    return confusion(np.array([[50, 2, 0], [4, 40, 6], [0, 1, 49]]), ["cat", "dog", "bird"])


def _diagonal(drawn: go.Figure, size: int) -> None:
    for place in range(size):
        drawn.add_shape(
            type="rect",
            x0=place - 0.47,
            x1=place + 0.47,
            y0=place - 0.47,
            y1=place + 0.47,
            line_width=0,
            fillcolor=palette.PALE,
            layer="below",
        )


def _numbers(drawn: go.Figure, counts: NDArray[Any]) -> None:
    strong = np.max(counts - np.diag(np.diag(counts)), initial=1) * 0.6
    for row, column in np.argwhere(np.asarray(counts) > 0):
        number = counts[row, column]
        dark = row != column and number > strong
        color = palette.CARD if dark else (palette.BLUE if row == column else palette.INK)
        style.note(drawn, f"{number:,}", x=int(column), y=int(row), font_color=color)
