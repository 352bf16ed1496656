"""One metric against another: which runs none beats in both, and where the limit lies (4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["pareto"]

HEIGHT = 380
COLOURS: Final = {
    "feasible": palette.GOOD,
    "borderline": palette.AMBER,
    "infeasible": palette.FAINT,
}
MOST_LABELS = 12
THOUSANDS = 10_000
WIDE = 20
"""From this ratio of the greatest to the least on, an axis is logarithmic."""
_LIMIT: Final = {
    "mode": "lines",
    "line": {"color": palette.RED, "width": 1.4, "dash": "dash"},
    "hoverinfo": "skip",
}


@dataclass(frozen=True, kw_only=True)
class Point:
    """A run: both metrics with the ends of their 95 % intervals, and how it stands."""

    label: str
    standing: str
    x: float
    y: float
    x_ends: tuple[float, float] | None = None
    y_ends: tuple[float, float] | None = None
    winner: bool = False


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A metric: its name, which way is better, whether it is a fraction, and its limits."""

    name: str
    higher_is_better: bool
    fraction: bool = False
    limits: tuple[float, ...] = ()


def pareto(points: Sequence[Point], x: Axis, y: Axis) -> go.Figure:
    """Draw a point a run with whiskers, the limits as lines, and the front of those not beaten.

    Args:
        points: the runs.
        x: the metric that is limited.
        y: the metric to optimize.
    """
    drawn = style.figure([], height=HEIGHT, left=70, right=24)
    drawn.update_layout(margin_b=54)
    xs, ys = _span(points, x), _span(points, y, across=False)
    for limit in x.limits:
        drawn.add_scatter(x=[limit, limit], y=list(ys), **_LIMIT)
    for limit in y.limits:
        drawn.add_scatter(x=list(xs), y=[limit, limit], **_LIMIT)
    best = front(points, x, y)
    drawn.add_scatter(
        x=[point.x for point in best],
        y=[point.y for point in best],
        mode="lines",
        line={"color": palette.STEEL, "width": 1.6, "shape": "hv" if x.higher_is_better else "vh"},
        hoverinfo="skip",
    )
    for point in points:
        _draw(drawn, point, x, y, named=point.winner or len(points) <= MOST_LABELS)
    drawn.update_xaxes(title_standoff=10)
    for axis, ends, update in ((x, xs, drawn.update_xaxes), (y, ys, drawn.update_yaxes)):
        update(title=words.plotly_text(_title(axis)), tickformat=_format(axis, ends[1]))
        if not axis.fraction and ends[0] > 0 and ends[1] / ends[0] > WIDE:
            update(type="log", dtick=1)
    return drawn


def front(points: Sequence[Point], x: Axis, y: Axis) -> list[Point]:
    """Return the points that no other beats in one metric without losing in the other, by x."""

    def keys(point: Point) -> tuple[float, float]:
        return (
            point.x if x.higher_is_better else -point.x,
            point.y if y.higher_is_better else -point.y,
        )

    kept: list[Point] = []
    for point in sorted(points, key=keys, reverse=True):
        if not kept or keys(point)[1] > keys(kept[-1])[1]:
            kept.append(point)
    return sorted(kept, key=lambda point: point.x)


def example() -> go.Figure:
    """Draw the classifiers A, B and C of notes 4.4."""
    rows = (("A", 80.0, 0.90), ("B", 95.0, 0.92), ("C", 1500.0, 0.95))
    points = [
        Point(
            label=label,
            standing="infeasible" if label == "C" else "feasible",
            x=ms,
            y=accuracy,
            y_ends=(accuracy - 0.015, accuracy + 0.015),
            winner=label == "B",
        )
        for label, ms, accuracy in rows
    ]
    time = Axis(name="running_time_ms", higher_is_better=False, limits=(100.0,))
    return pareto(points, time, Axis(name="accuracy", higher_is_better=True, fraction=True))


def _span(points: Sequence[Point], axis: Axis, *, across: bool = True) -> tuple[float, float]:
    """Return the least and the greatest of what is drawn along an axis."""
    values = [point.x if across else point.y for point in points]
    ends = [point.x_ends if across else point.y_ends for point in points]
    values += [end for pair in ends if pair for end in pair]
    values += axis.limits
    return (min(values), max(values)) if values else (0.0, 1.0)


def _draw(drawn: go.Figure, point: Point, x: Axis, y: Axis, *, named: bool) -> None:
    colour = COLOURS[point.standing]
    whisker = {"mode": "lines", "line": {"color": colour, "width": 1.2}, "hoverinfo": "skip"}
    if point.x_ends:
        drawn.add_scatter(x=list(point.x_ends), y=[point.y, point.y], **whisker)
    if point.y_ends:
        drawn.add_scatter(x=[point.x, point.x], y=list(point.y_ends), **whisker)
    label = words.plotly_text(words.short(point.label, 28))
    drawn.add_scatter(
        x=[point.x],
        y=[point.y],
        mode="markers+text" if named else "markers",
        marker={
            "size": 13 if point.winner else 9,
            "color": colour,
            "symbol": "star" if point.winner else "circle",
            "line": {"color": palette.CARD, "width": 1},
        },
        text=[f"  <b>{label}</b>" if point.winner else f"  {label}"],
        textposition="middle right",
        textfont={"size": 12.5, "color": palette.INK if point.winner else palette.MUTED},
        hovertemplate=f"{label}<br>{_at(x, point.x)}, {_at(y, point.y)}"
        f"<br>{point.standing}<extra></extra>",
    )


def _at(axis: Axis, value: float) -> str:
    shown = words.percent(value) if axis.fraction else f"{value:,.4g}"
    return f"{words.plotly_text(axis.name)} {shown}"


def _title(axis: Axis) -> str:
    return f"{axis.name}  ({'higher' if axis.higher_is_better else 'lower'} is better)"


def _format(axis: Axis, largest: float) -> str:
    return ".1%" if axis.fraction else "~s" if largest >= THOUSANDS else "~g"
