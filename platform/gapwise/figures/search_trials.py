"""The curve of every trial of a search."""

from collections.abc import Sequence

import plotly.graph_objects as go

from gapwise.figures import palette, style
from gapwise.figures.trial_dots import TrialDot, examples, told

__all__ = ["search_trials"]

HEIGHT = 360


def search_trials(dots: Sequence[TrialDot], rungs: Sequence[int]) -> go.Figure:
    """Draw the dev error of every trial by epoch; those that were stopped fade, rungs are lines."""
    drawn = style.figure([], height=HEIGHT, left=56)
    drawn.update_layout(margin_b=48)
    for rung in rungs[:-1]:
        drawn.add_vline(x=rung, line={"color": palette.LINE, "width": 1, "dash": "dot"})
    best = min((dot.error for dot in dots if dot.ended), default=None)
    for dot in sorted(dots, key=lambda one: (one.ended, -one.error)):
        is_best = dot.ended and dot.error == best
        colour = palette.BLUE if is_best else palette.TEAL if dot.ended else palette.FAINT
        drawn.add_scatter(
            x=list(range(1, len(dot.curve) + 1)),
            y=list(dot.curve),
            mode="lines+markers" if len(dot.curve) == 1 else "lines",
            opacity=1.0 if dot.ended else 0.35,
            line={"color": colour, "width": 2.6 if is_best else 1.4},
            marker={"size": 4, "color": colour},
            text=[told(dot)] * len(dot.curve),
            hovertemplate="%{text}<br>epoch %{x}: %{y:.1%}<extra></extra>",
        )
    drawn.update_xaxes(title="Epoch", rangemode="tozero")
    drawn.update_yaxes(tickformat=".0%", rangemode="tozero")
    return drawn


def example() -> go.Figure:
    """Draw eight trials (made-up numbers)."""
    return search_trials(examples(), (1, 3))
