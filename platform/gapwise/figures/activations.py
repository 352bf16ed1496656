"""The activations of a layer without maps: one bar a unit."""

from collections.abc import Sequence

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["activations"]

MOST_NAMED = 24


def activations(
    values: Sequence[float], names: Sequence[str], *, chosen: int | None = None
) -> go.Figure:
    """Draw one bar a unit; few units have their names below.

    Args:
        values: one a unit.
        names: of the units.
        chosen: place of the unit that stands out; None: none does.
    """
    places = list(range(len(values)))
    colors = [palette.BLUE if place == chosen else palette.STEEL for place in places]
    safe = [words.plotly_text(name) for name in names]
    bars = go.Bar(
        x=places,
        y=list(values),
        marker_color=colors,
        unselected={"marker": {"opacity": 1}},
        customdata=safe,
        hovertemplate="%{customdata}: %{y:.3g}<extra></extra>",
    )
    drawn = style.figure([bars], height=230, left=48)
    few = len(values) <= MOST_NAMED
    drawn.update_xaxes(showgrid=False, showticklabels=few, tickvals=places if few else None)
    if few:
        drawn.update_xaxes(ticktext=[words.short(name, 12) for name in safe])
    else:
        drawn.update_xaxes(title_text="unit", title_font_color=palette.MUTED)
        drawn.update_xaxes(showticklabels=True)
    drawn.update_yaxes(title_text="activation", title_font_color=palette.MUTED, nticks=5)
    drawn.update_yaxes(zeroline=True, zerolinecolor=palette.LINE)
    drawn.update_layout(bargap=0.15 if few else 0.05)
    return drawn


def example() -> go.Figure:
    """Draw three units (made-up numbers)."""
    return activations([2.0, -0.5, 0.1], ["cat", "dog", "bird"], chosen=0)
