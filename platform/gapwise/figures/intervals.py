"""Errors with their intervals, one row an estimate: classes, sources, groups of runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["intervals"]

ROW = 28


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An error as a fraction of 1 with its 95 % interval and the examples that it stands on."""

    label: str
    error: float
    low: float | None
    high: float | None
    n: int


def intervals(
    rows: Sequence[Estimate], *, overall: float | None = None, color: str = palette.RED
) -> go.Figure:
    """Draw a dot with whiskers a row, in the order given, top first.

    Args:
        rows: the estimates.
        overall: error over all of them, as a dotted line; None: no line.
        color: of the dots.
    """
    places = list(range(len(rows)))
    drawn = style.figure([], height=ROW * max(len(rows), 2) + 56, left=_left(rows), right=150)
    for place, row in zip(places, rows, strict=True):
        if row.low is not None and row.high is not None:
            drawn.add_scatter(
                x=[row.low, row.high],
                y=[place, place],
                mode="lines",
                line={"color": palette.STEEL, "width": 6},
                hoverinfo="skip",
            )
    drawn.add_scatter(
        x=[row.error for row in rows],
        y=places,
        mode="markers",
        marker={"color": color, "size": 9},
        hoverinfo="skip",
    )
    if overall is not None:
        drawn.add_vline(x=overall, line={"color": palette.FAINT, "width": 1, "dash": "dot"})
    for place, row in zip(places, rows, strict=True):
        style.note(drawn, _says(row), x=1, xref="paper", y=place, xanchor="left", xshift=8)
    labels = [words.plotly_text(words.short(row.label)) + "  " for row in rows]
    drawn.update_yaxes(tickvals=places, ticktext=labels, showgrid=False)
    drawn.update_yaxes(range=[len(rows) - 0.4, -0.6])
    drawn.update_xaxes(rangemode="tozero", tickformat=".0%", nticks=6)
    return drawn


def example() -> go.Figure:
    """Draw two sources (made-up numbers)."""
    rows = [
        Estimate(label="phone", error=0.22, low=0.18, high=0.26, n=400),
        Estimate(label="scan", error=0.04, low=None, high=None, n=1),
    ]
    return intervals(rows, overall=0.2)


def _left(rows: Sequence[Estimate]) -> int:
    return 28 + round(7.2 * max((len(words.short(row.label)) for row in rows), default=0))


def _says(row: Estimate) -> str:
    interval = words.span(row.low, row.high)
    shown = f" ({interval})" if interval else ""
    return (
        f"<b>{words.percent(row.error)}</b>{shown} "
        f"<span style='color:{palette.FAINT}'>n {row.n:,}</span>"
    )
