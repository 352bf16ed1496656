"""Learning curves as SVG: the error by epoch, a line a split, its name at its end."""

import math
from collections.abc import Mapping
from typing import Final

from gapwise.figures import palette, words
from gapwise.reports import axis
from gapwise.reports.facts import Line
from gapwise.reports.markup import Markup, joined, tag

WIDTH: Final = 820
HEIGHT: Final = 250
LEFT: Final = 52
RIGHT: Final = 740
TOP: Final = 22
BOTTOM: Final = 214
MOST_POINTS: Final = 400
APART: Final = 16
"""Least distance of two names, in the drawing's units."""


def curves(lines: Mapping[str, Line], best: float | None = None) -> Markup:
    """Draw errors (fractions of 1) by epoch; what is no number leaves a hole."""
    last = max((max(line.steps, default=0.0) for line in lines.values()), default=0.0) or 1.0
    values = [v for line in lines.values() for v in line.values if math.isfinite(v)]
    limit = 1.06 * max([0.01, *values])
    parts = [_axes(last, limit), _best(best, last)]
    names: list[tuple[float, str, str]] = []
    for name, line in lines.items():
        color = palette.SPLITS.get(name, palette.MUTED)
        parts.append(tag("path", d=_path(line, last, limit), fill="none", stroke=color,
                         stroke_width=2))  # fmt: skip
        ends = [v for v in line.values if math.isfinite(v)]
        if ends:
            names.append((_y(ends[-1], limit), words.of_rung(name), color))
    view = f"0 0 {WIDTH} {HEIGHT}"
    told = tag("title", "Error by epoch")
    return tag("svg", told, *parts, _names(names), viewBox=view, role="img", class_="drawing")


def _path(line: Line, last: float, limit: float) -> str:
    step = max(1, -(-len(line.steps) // MOST_POINTS))
    kept = [*zip(line.steps, line.values, strict=True)]
    kept = [*kept[:-1:step], *kept[-1:]]
    pieces, pen = [], "M"
    for x, y in kept:
        if not math.isfinite(y):
            pen = "M"
            continue
        pieces.append(f"{pen}{_x(x, last)} {_y(y, limit)}")
        pen = "L"
    return " ".join(pieces)


def _axes(last: float, limit: float) -> Markup:
    parts = []
    for value in axis.ticks(limit):
        y = _y(value, limit)
        parts.append(tag("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, stroke=palette.GRID))
        label = axis.percent(value, limit)
        parts.append(_text(label, LEFT - 8, y + 4, anchor="end"))
    every = max(1, round(last / 8))
    ticks = range(0, int(last) + 1, every)
    parts += [_text(str(tick), _x(tick, last), BOTTOM + 18, anchor="middle") for tick in ticks]
    parts.append(_text("epoch", (LEFT + RIGHT) / 2, BOTTOM + 34, anchor="middle"))
    return joined(*parts)


def _best(best: float | None, last: float) -> Markup:
    if best is None or best > last:
        return Markup()
    x = _x(best, last)
    line = {"stroke": palette.FAINT, "stroke_dasharray": "2 3"}
    return joined(
        tag("line", x1=x, x2=x, y1=TOP, y2=BOTTOM, **line),
        _text(f"kept: epoch {best:g}", x, TOP - 8, anchor="middle"),
    )


def _names(names: list[tuple[float, str, str]]) -> Markup:
    drawn, below = [], -math.inf
    for y, name, color in sorted(names):
        below = max(y, below + APART)
        drawn.append(_text(name, RIGHT + 8, below + 4, anchor="start", fill=color, size=13))
    return joined(*drawn)


def _x(step: float, last: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * step / last, 2)


def _y(value: float, limit: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / limit, 2)


def _text(
    text: str, x: float, y: float, *, anchor: str, fill: str = palette.FAINT, size: int = 11
) -> Markup:
    return tag("text", text, x=x, y=y, fill=fill, font_size=size, text_anchor=anchor)
