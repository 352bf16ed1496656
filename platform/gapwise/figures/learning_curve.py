"""Error by size of the training set: what was measured, the fitted curve, and its forecasts."""

from collections.abc import Mapping
from math import log10

import plotly.graph_objects as go

from gapwise.diagnostics.forecast import Forecast
from gapwise.diagnostics.learning_curve import LearningCurve, Point
from gapwise.figures import palette, style, words

__all__ = ["learning_curve"]

BAND = 0.13
HEIGHT = 440
NAMES_APART = 0.05
"""Least distance of two names, as a share of the highest error."""


def learning_curve(curves: Mapping[str, LearningCurve]) -> go.Figure:
    """Draw one curve with its band, train error and forecasts, or several by their dev errors.

    Args:
        curves: name → curve. The fitted part is solid up to the largest size, dashed beyond.
    """
    several = len(curves) > 1
    drawn = style.figure([], height=HEIGHT, left=64, right=190 if several else 84)
    heights = _heights(curves)
    for place, (name, curve) in enumerate(curves.items()):
        color = palette.SERIES[place % len(palette.SERIES)] if several else palette.RED
        _fitted(drawn, curve, color, band=not several)
        _dev(drawn, curve, color)
        end = (_end(curve)[0], heights[name])
        _name(drawn, words.short(name, 26) if several else "dev", end, color)
        if not several:
            _train(drawn, curve)
            _forecasts(drawn, curve, color)
    _axes(drawn, curves)
    return drawn


def example() -> go.Figure:
    """Draw a curve of four sizes (made-up numbers)."""
    sizes = (100, 200, 400, 800)
    points = tuple(
        Point(size=n, seeds=3, dev_error=2 * n**-0.5, dev_low=1.8 * n**-0.5,
              dev_high=2.2 * n**-0.5, train_error=0.01)
        for n in sizes
    )  # fmt: skip
    line = tuple((float(n), 2 * n**-0.5, 1.7 * n**-0.5, 2.4 * n**-0.5) for n in (*sizes, 1600))
    twice = Forecast(factor=2, size=1600, error=0.05, low=0.042, high=0.06)
    curve = LearningCurve(
        points=points, n_dev=400, forecasts=(twice,), says="More data would help.", line=line
    )
    return learning_curve({"as it is": curve})


def _fitted(drawn: go.Figure, curve: LearningCurve, color: str, *, band: bool) -> None:
    if not curve.line:
        return
    sizes, middle, low, high = (list(column) for column in zip(*curve.line, strict=True))
    if band:
        drawn.add_scatter(x=sizes, y=low, mode="lines", line_width=0, hoverinfo="skip")
        drawn.add_scatter(
            x=sizes, y=high, mode="lines", line_width=0, hoverinfo="skip",
            fill="tonexty", fillcolor=_pale(color),
        )  # fmt: skip
    largest = curve.points[-1].size
    inside = sum(size <= largest * 1.0001 for size in sizes)
    for part, dash in ((slice(0, inside), "solid"), (slice(max(0, inside - 1), None), "dash")):
        drawn.add_scatter(
            x=sizes[part], y=middle[part], mode="lines", hoverinfo="skip",
            line={"color": color, "width": 2.2, "dash": dash},
        )  # fmt: skip


def _dev(drawn: go.Figure, curve: LearningCurve, color: str) -> None:
    points = curve.points
    drawn.add_scatter(
        x=[p.size for p in points],
        y=[p.dev_error for p in points],
        mode="markers" if curve.line else "markers+lines",
        marker={"color": color, "size": 9, "line": {"color": palette.CARD, "width": 1}},
        line={"color": color, "width": 1, "dash": "dot"},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [p.dev_high - p.dev_error for p in points],
            "arrayminus": [p.dev_error - p.dev_low for p in points],
            "color": color,
            "thickness": 1.4,
            "width": 0,
        },
        hovertemplate=[_hover(point) for point in points],
    )


def _train(drawn: go.Figure, curve: LearningCurve) -> None:
    points = curve.points
    drawn.add_scatter(
        x=[p.size for p in points],
        y=[p.train_error for p in points],
        mode="lines+markers",
        marker={"color": palette.BLUE, "size": 7},
        line={"color": palette.BLUE, "width": 1.6},
        hovertemplate=[
            f"train, {p.size:,} examples<br>{words.percent(p.train_error)}<extra></extra>"
            for p in points
        ],
    )
    _name(drawn, "train", (points[-1].size, points[-1].train_error), palette.BLUE)


def _forecasts(drawn: go.Figure, curve: LearningCurve, color: str) -> None:
    for found in curve.forecasts:
        if found.error is None or found.high is None:
            continue
        drawn.add_scatter(
            x=[found.size],
            y=[found.error],
            mode="markers",
            marker={"color": palette.CARD, "size": 10, "line": {"color": color, "width": 2}},
            hovertemplate=f"forecast, {found.size:,} examples<br>{words.percent(found.error)}"
            f" ({words.span(found.low, found.high)})<extra></extra>",
        )
        drawn.add_annotation(
            text=f"<b>{found.factor:g} ×</b> {words.percent(found.error)}",
            **_at(found.size, found.high),
            showarrow=False, yshift=12, font={"size": 13, "color": color},
        )  # fmt: skip


def _axes(drawn: go.Figure, curves: Mapping[str, LearningCurve]) -> None:
    points = [point for curve in curves.values() for point in curve.points]
    ends = [row[0] for curve in curves.values() for row in curve.line[-1:]]
    sizes = sorted({point.size for curve in curves.values() for point in curve.points})
    ahead = {found.size for c in curves.values() for found in c.forecasts if not found.abstains}
    ticks = [*_apart(sizes), *sorted(ahead)] if len(curves) == 1 else _apart(sizes)
    drawn.update_xaxes(
        type="log",
        tickvals=ticks,
        ticktext=[f"{tick:,}" for tick in ticks],
        range=_logarithms(min(sizes) * 0.85, max([*sizes, *ends]) * 1.08),
        title_text="training examples",
        title_font_color=palette.MUTED,
    )
    top = max(point.dev_high for point in points) * 1.06
    drawn.update_yaxes(
        range=[-0.02 * top, max(top, 0.02)],
        tickformat=".0%" if top > 0.06 else ".1%",
        ticksuffix="  ",
        title_text="error",
        title_font_color=palette.MUTED,
    )


def _apart(sizes: list[int]) -> list[int]:
    """Return the sizes that have room for a label each on a logarithmic axis."""
    kept = sizes[-1:]
    for size in reversed(sizes[:-1]):
        if size < 0.62 * kept[0]:
            kept.insert(0, size)
    return kept


def _name(drawn: go.Figure, name: str, at: tuple[float, float], color: str) -> None:
    style.note(
        drawn, words.plotly_text(name), **_at(*at), xanchor="left", xshift=9, font_color=color
    )


def _at(size: float, error: float) -> dict[str, float]:
    """Return a place for an annotation, which a logarithmic axis wants in powers of ten."""
    return {"x": _logarithms(size)[0], "y": error}


def _logarithms(*values: float) -> list[float]:
    return [log10(value) for value in values]


def _end(curve: LearningCurve) -> tuple[float, float]:
    """Return where a curve's line ends: size and error."""
    return curve.line[-1][:2] if curve.line else (curve.points[-1].size, curve.points[-1].dev_error)


def _heights(curves: Mapping[str, LearningCurve]) -> dict[str, float]:
    """Return the heights of the curves' names: at their ends, but far enough apart to be read."""
    apart = NAMES_APART * max(p.dev_high for curve in curves.values() for p in curve.points)
    heights: dict[str, float] = {}
    lowest = 0.0
    for name, curve in sorted(curves.items(), key=lambda item: _end(item[1])[1]):
        heights[name] = max(_end(curve)[1], lowest)
        lowest = heights[name] + apart
    return heights


def _hover(point: Point) -> str:
    inside = words.span(point.dev_low, point.dev_high)
    return (
        f"dev, {point.size:,} examples, {words.count(point.seeds, 'seed')}<br>"
        f"{words.percent(point.dev_error)} ({inside})<extra></extra>"
    )


def _pale(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{BAND})"
