"""Predicted against true numbers: on the line, both agree."""

from collections.abc import Sequence

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["agreement"]


def agreement(
    true: Sequence[float], predicted: Sequence[float], *, name: str, color: str = palette.RED
) -> go.Figure:
    """Draw a point an example, and the line on which prediction and truth agree.

    Args:
        true: the true numbers, of some examples where there are many.
        predicted: the predicted ones.
        name: what the numbers are, with their unit.
        color: of the points.
    """
    drawn = style.figure([], height=360, left=74)
    low, high = min((*true, *predicted), default=0.0), max((*true, *predicted), default=1.0)
    drawn.add_scatter(
        x=[low, high], y=[low, high], mode="lines", hoverinfo="skip",
        line={"color": palette.FAINT, "width": 1.2, "dash": "dot"},
    )  # fmt: skip
    drawn.add_scatter(
        x=list(true), y=list(predicted), mode="markers",
        marker={"color": color, "size": 5, "opacity": 0.35},
        hovertemplate="true %{x:,.4~g}, predicted %{y:,.4~g}<extra></extra>",
    )  # fmt: skip
    axis = {"tickformat": "~s", "nticks": 6, "title_font_color": palette.MUTED}
    text = words.plotly_text(words.short(name, 48))
    drawn.update_xaxes(title_text=f"true {text}", **axis)
    drawn.update_yaxes(title_text="predicted", **axis)
    drawn.update_layout(margin={"b": 48})
    return drawn


def example() -> go.Figure:
    """Draw four homes (made-up numbers)."""
    return agreement([90e3, 150e3, 240e3, 410e3], [110e3, 140e3, 260e3, 350e3], name="price")
