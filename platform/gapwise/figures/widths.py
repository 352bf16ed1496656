"""What dev examples buy: the width of the interval by the number of examples."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["widths"]


def widths(
    sizes: Sequence[int], halves: Sequence[float], *, chosen: Mapping[str, tuple[int, float]]
) -> go.Figure:
    """Draw half the interval's width against the number of examples.

    Args:
        sizes: numbers of examples.
        halves: half-widths of the 95 % interval, as fractions of 1.
        chosen: split → (its examples, its half-width), drawn as dots on the line.
    """
    drawn = style.figure([], height=270, left=58, right=24)
    line = {"color": palette.STEEL, "width": 3}
    drawn.add_scatter(x=list(sizes), y=list(halves), mode="lines", line=line, hoverinfo="skip")
    for split, (n, half) in chosen.items():
        color = palette.SPLITS.get(split, palette.INK)
        text = f"{words.of_rung(split)} n = {n:,}<br>± {words.percent(half)}"
        drawn.add_scatter(x=[n], y=[half], mode="markers", marker={"color": color, "size": 12})
        style.note(
            drawn, text, x=n, y=half, yshift=10, yanchor="bottom", xanchor="left", font_color=color
        )
    drawn.update_traces(hoverinfo="skip")
    drawn.update_xaxes(title_text="examples", title_font_color=palette.MUTED, tickformat=",")
    drawn.update_yaxes(title_text="± points", title_font_color=palette.MUTED, tickformat=".1%")
    drawn.update_yaxes(rangemode="tozero")
    return drawn


def example() -> go.Figure:
    """Draw the widths of three sizes (made-up numbers)."""
    return widths([100, 400, 1600], [0.06, 0.03, 0.015], chosen={"dev": (400, 0.03)})
