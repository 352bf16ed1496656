"""The ceiling of a system: the end error as steps are made perfect, and what each gains."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["ceiling"]

ROW = 46


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The end error under one setting; fractions of 1, 95 % interval."""

    label: str
    error: float
    low: float | None
    high: float | None


def ceiling(bars: Sequence[Bar]) -> go.Figure:
    """Draw a bar a setting, the system as it is first; what a setting gains is hatched behind.

    Args:
        bars: the settings in their order.
    """
    whole = bars[0].error if bars else 0.0
    limit = 1.08 * max([0.01, *(max(bar.error, bar.high or 0.0) for bar in bars)])
    labels = [words.plotly_text(words.short(bar.label, 34)) + "  " for bar in bars]
    left = 28 + round(7.2 * max((len(label) for label in labels), default=0))
    drawn = style.figure([], height=ROW * max(len(bars), 2) + 52, left=left, right=190)
    for place, bar in enumerate(bars):
        _draw(drawn, bar, place, whole)
    drawn.update_yaxes(tickvals=list(range(len(bars))), ticktext=labels, showgrid=False)
    drawn.update_yaxes(range=[len(bars) - 0.4, -0.6])
    drawn.update_xaxes(range=[0, limit], tickformat=".0%" if limit > 0.06 else ".1%", nticks=6)
    return drawn


def example() -> go.Figure:
    """Draw a gate that finds a face and then names it (made-up numbers)."""
    return ceiling(
        [
            Bar(label="as it is", error=0.12, low=0.10, high=0.14),
            Bar(label="perfect: find the face", error=0.04, low=0.03, high=0.054),
            Bar(label="perfect: both", error=0.0, low=0.0, high=0.004),
        ]
    )


def _draw(drawn: go.Figure, bar: Bar, place: int, whole: float) -> None:
    common = {"orientation": "h", "width": 0.42, "hoverinfo": "skip", "y": [place]}
    if bar.error < whole:
        gone = {"color": palette.CARD, "line": {"color": palette.GOOD, "width": 1.2}}
        gone["pattern"] = {"shape": "/", "fgcolor": palette.GOOD}
        drawn.add_bar(x=[whole - bar.error], base=[bar.error], marker=gone, opacity=0.55, **common)
    drawn.add_bar(x=[bar.error], marker_color=palette.STEEL, **common)
    if bar.low is not None and bar.high is not None:
        drawn.add_scatter(
            x=[bar.low, bar.high],
            y=[place, place],
            mode="lines",
            line={"color": palette.INK, "width": 1.6},
            hoverinfo="skip",
        )
    inside = words.span(bar.low, bar.high)
    text = f"<b>{words.percent(bar.error)}</b>" + (f" ({inside})" if inside else "")
    style.note(drawn, text, x=1, xref="paper", y=place, xanchor="left", xshift=8)
