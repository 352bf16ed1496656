"""How far predicted numbers are off, and on which side: predicted − true."""

from collections.abc import Sequence
from itertools import pairwise

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["residuals"]


def residuals(
    edges: Sequence[float], counts: Sequence[int], *, name: str, color: str = palette.RED
) -> go.Figure:
    """Draw a histogram of predicted − true, against zero.

    Args:
        edges: bounds of the bins, one more than ``counts``.
        counts: examples in each bin; whatever lies beyond the edges is the caller's to say.
        name: what the numbers are, with their unit.
        color: of the bars.
    """
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    widths = [high - low for low, high in pairwise(edges)]
    bars = go.Bar(
        x=middles, y=list(counts), width=widths, marker={"color": color, "opacity": 0.55},
        hovertemplate="about %{x:,.3~g} off: %{y:,} examples<extra></extra>",
    )  # fmt: skip
    drawn = style.figure([bars], height=240, left=64)
    drawn.add_vline(x=0, line={"color": palette.INK, "width": 1.2})
    text = words.plotly_text(words.short(name, 48))
    drawn.update_xaxes(
        title_text=f"predicted − true {text}", tickformat="~s", nticks=7,
        title_font_color=palette.MUTED,
    )  # fmt: skip
    drawn.update_yaxes(title_text="examples", nticks=5, title_font_color=palette.MUTED)
    drawn.update_layout(margin={"b": 48})
    return drawn


def example() -> go.Figure:
    """Draw a network that predicts a little too little (made-up numbers)."""
    return residuals([-60e3, -20e3, 20e3, 60e3], [40, 90, 20], name="price")
