"""The lowest error of a search against what it cost."""

from collections.abc import Sequence

import plotly.graph_objects as go

from gapwise.figures import palette, style

__all__ = ["search_course"]


def search_course(
    epochs: Sequence[int], best: Sequence[float], total: int, whole: int
) -> go.Figure:
    """Draw the lowest error so far against what was trained.

    Args:
        epochs, best: each improvement.
        total: epochs trained until now.
        whole: epochs of one training to the end, which the axis also counts in.
    """
    drawn = style.figure([], height=260, left=56)
    drawn.update_layout(margin_b=48)
    drawn.add_scatter(
        x=[*epochs, total],
        y=[*best, *best[-1:]],
        mode="lines",
        line={"color": palette.BLUE, "width": 2.2, "shape": "hv"},
        hovertemplate="after %{x} epochs: %{y:.1%}<extra></extra>",
    )
    drawn.update_xaxes(title=f"Epochs trained in all ({whole} are one training to the end)")
    drawn.update_yaxes(tickformat=".0%", rangemode="tozero")
    return drawn


def example() -> go.Figure:
    """Draw three improvements (made-up numbers)."""
    return search_course((1, 9, 40), (0.4, 0.2, 0.15), 90, 9)
