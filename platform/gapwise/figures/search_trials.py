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
    stopped = [dot for dot in dots if not dot.ended]
    ended = [dot for dot in dots if dot.ended and dot.error != best]
    _lines(drawn, stopped, palette.FAINT, opacity=0.35)
    _lines(drawn, ended, palette.TEAL)
    _lines(drawn, [dot for dot in dots if dot.ended and dot.error == best], palette.BLUE, width=2.6)
    drawn.update_xaxes(title="Epoch", rangemode="tozero")
    drawn.update_yaxes(tickformat=".0%", rangemode="tozero")
    return drawn


def _lines(
    drawn: go.Figure,
    dots: Sequence[TrialDot],
    colour: str,
    width: float = 1.4,
    opacity: float = 1.0,
) -> None:
    """Draw trials as one series with gaps: a series each would take seconds for a thousand."""
    epochs: list[int | None] = []
    errors: list[float | None] = []
    texts: list[str] = []
    for dot in dots:
        epochs += [*range(1, len(dot.curve) + 1), None]
        errors += [*dot.curve, None]
        texts += [told(dot)] * (len(dot.curve) + 1)
    alone = all(len(dot.curve) == 1 for dot in dots)
    drawn.add_scatter(
        x=epochs,
        y=errors,
        mode="lines+markers" if alone else "lines",
        opacity=opacity,
        line={"color": colour, "width": width},
        marker={"size": 4, "color": colour},
        text=texts,
        hovertemplate="%{text}<br>epoch %{x}: %{y:.1%}<extra></extra>",
    )


def example() -> go.Figure:
    """Draw eight trials (made-up numbers)."""
    return search_trials(examples(), (1, 3))
