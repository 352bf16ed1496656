"""An error with its interval as a dot with a whisker, small enough for a row of a table."""

from typing import Final

from gapwise.figures import palette
from gapwise.records import Rung
from gapwise.reports.markup import Markup, tag

WIDTH: Final = 120
HEIGHT: Final = 16


def whisker(rung: Rung | None, limit: float) -> Markup:
    """Draw an error (fraction of 1) on an axis from 0 to ``limit``; an empty one where None."""
    parts = [tag("line", x1=0, x2=WIDTH, y1=8, y2=8, stroke=palette.GRID)]
    if rung is not None:
        color = palette.SPLITS.get(rung.rung, palette.MUTED)
        if rung.low is not None and rung.high is not None:
            ends = {"x1": _x(rung.low, limit), "x2": _x(rung.high, limit), "y1": 8, "y2": 8}
            parts.append(tag("line", **ends, stroke=color, stroke_width=5, stroke_opacity=0.3,
                             stroke_linecap="round"))  # fmt: skip
        parts.append(tag("circle", cx=_x(rung.error, limit), cy=8, r=4, fill=color))
    view = f"0 0 {WIDTH} {HEIGHT}"
    return tag("svg", *parts, viewBox=view, width=WIDTH, height=HEIGHT, aria_hidden="true")


def _x(value: float, limit: float) -> float:
    return round(4 + (WIDTH - 8) * value / limit, 2)
