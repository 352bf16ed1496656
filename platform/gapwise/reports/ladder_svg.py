"""The error ladder as SVG: a bar a rung, the part that its gap adds in the gap's colour."""

from collections.abc import Sequence
from typing import Final

from gapwise.figures import palette, words
from gapwise.records import Gap, Rung
from gapwise.reports import axis
from gapwise.reports.markup import Markup, joined, tag
from gapwise.reports.said import gap_of

WIDTH: Final = 820
LEFT: Final = 112
RIGHT: Final = 470
ROW: Final = 50
BAR: Final = 20
AXIS: Final = 24


def ladder(rungs: Sequence[Rung], gaps: Sequence[Gap]) -> Markup:
    """Draw rungs in their order; errors are fractions of 1, whiskers are 95 % intervals."""
    limit = 1.04 * max([0.02, *(max(rung.error, rung.high or 0.0) for rung in rungs)])
    ends = gap_of(rungs, gaps)
    drawn: list[Markup] = [_axis(limit, len(rungs) * ROW)]
    base = 0.0
    for row, rung in enumerate(rungs):
        middle = row * ROW + ROW / 2
        drawn += [_labels(rung, middle), _bar(rung, base, ends.get(rung.rung), middle, limit)]
        drawn.append(_says(rung, ends.get(rung.rung), middle))
        base = rung.error
    height = len(rungs) * ROW + AXIS
    told = "; ".join(f"{words.of_rung(r.rung)} {words.percent(r.error)}" for r in rungs)
    return tag(
        "svg",
        tag("title", f"Error ladder: {told}"),
        *drawn,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        class_="drawing",
    )


def _x(value: float, limit: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * value / limit, 2)


def _axis(limit: float, bottom: float) -> Markup:
    parts = []
    for value in axis.ticks(limit):
        x = _x(value, limit)
        parts.append(tag("line", x1=x, x2=x, y1=4, y2=bottom, stroke=palette.GRID))
        label = axis.percent(value, limit)
        parts.append(_text(label, x, bottom + 16, anchor="middle", fill=palette.FAINT, size=11))
    return joined(*parts)


def _labels(rung: Rung, middle: float) -> Markup:
    size = f"n = {rung.n:,}" if rung.n else "n not stated"
    return joined(
        _text(words.of_rung(rung.rung), 0, middle - 2, weight=600),
        _text(size, 0, middle + 14, fill=palette.MUTED, size=12),
    )


def _bar(rung: Rung, base: float, gap: Gap | None, middle: float, limit: float) -> Markup:
    top = middle - BAR / 2
    start = _x(0, limit)
    grey = _x(min(base, rung.error) if gap else rung.error, limit)
    parts = [_rect(start, grey, top, palette.STEEL)]
    if gap is not None:
        color = palette.of_gap(gap.name)
        if rung.error > base:
            parts.append(_rect(_x(base, limit), _x(rung.error, limit), top, color))
        elif base > rung.error:  # the error fell: an empty frame where the rung before ended
            frame = {"fill": "none", "stroke": color, "stroke_dasharray": "3 2"}
            width = _x(base, limit) - _x(rung.error, limit)
            parts.append(tag("rect", x=_x(rung.error, limit), y=top, width=round(width, 2),
                             height=BAR, **frame))  # fmt: skip
    if rung.low is not None and rung.high is not None:
        ends = _x(rung.low, limit), _x(rung.high, limit)
        line = {"stroke": palette.INK, "stroke_width": 1.5}
        parts.append(tag("line", x1=ends[0], x2=ends[1], y1=middle, y2=middle, **line))
        for end in ends:
            parts.append(tag("line", x1=end, x2=end, y1=middle - 4, y2=middle + 4, **line))
    return joined(*parts)


def _says(rung: Rung, gap: Gap | None, middle: float) -> Markup:
    inside = words.span(rung.low, rung.high) or "no interval"
    x = RIGHT + 24
    first = _text(f"{words.percent(rung.error)} ({inside})", x, middle - 2, weight=600)
    if gap is None:
        return first
    within = words.span(gap.low, gap.high)
    says = f"{words.points(gap.gap)} {words.of_gap(gap.name)}" + (f" ({within})" if within else "")
    return joined(first, _text(says, x, middle + 14, fill=palette.of_gap(gap.name), size=13))


def _rect(left: float, right: float, top: float, fill: str) -> Markup:
    width = round(max(0.0, right - left), 2)
    return tag("rect", x=left, y=top, width=width, height=BAR, rx=2, fill=fill)


def _text(
    text: str, x: float, y: float, *, fill: str = palette.INK, size: int = 14, **more: object
) -> Markup:
    anchor = more.get("anchor")
    weight = more.get("weight")
    return tag("text", text, x=x, y=y, fill=fill, font_size=size, font_weight=weight,
               text_anchor=anchor)  # fmt: skip
