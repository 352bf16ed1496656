"""The difference of two runs with its interval, against zero."""

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["difference"]


def difference(value: float, low: float, high: float, *, names: tuple[str, str]) -> go.Figure:
    """Draw error(A) − error(B) with its 95 % interval; all are fractions of 1.

    Args:
        value: the difference.
        low: lower end of the interval.
        high: upper end.
        names: what A and B are called: each stands on the side where it has the lower error.
    """
    reach = 1.15 * max(abs(low), abs(high), 0.01)
    decided = low > 0 or high < 0
    color = palette.GOOD if decided else palette.MUTED
    drawn = style.figure([], height=150, left=24, right=24)
    drawn.add_scatter(
        x=[low, high], y=[0, 0], mode="lines", line={"color": color, "width": 8}, opacity=0.35
    )
    drawn.add_scatter(x=[value], y=[0], mode="markers", marker={"color": color, "size": 14})
    drawn.add_vline(x=0, line={"color": palette.INK, "width": 1.2})
    sides = (
        (-reach, "left", f"← {names[0]} is better"),
        (reach, "right", f"{names[1]} is better →"),
    )
    for x, anchor, says in sides:
        text = words.plotly_text(says)
        style.note(drawn, text, x=x, y=0.72, xanchor=anchor, font_color=palette.MUTED)
    drawn.update_traces(hoverinfo="skip")
    drawn.update_xaxes(range=[-reach, reach], tickformat="+.2~%", nticks=7)
    drawn.update_yaxes(range=[-0.6, 1], showticklabels=False, showgrid=False)
    return drawn


def example() -> go.Figure:
    """Draw a decided difference (made-up numbers)."""
    return difference(0.03, 0.01, 0.05, names=("a", "b"))
