"""What is true and what was said of a picture, drawn to lie over it: boxes, points, masks.

Found or right is green, said and not there is red, there and not said is amber.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from gapwise.figures import palette
from gapwise.reports.markup import Markup, tag

State = Literal["found", "false", "missed", "true"]

COLORS: Final = {
    "found": palette.GOOD,
    "false": palette.RED,
    "missed": palette.AMBER,
    "true": palette.CARD,
}
LETTERS: Final = 0.085
"""Height of a letter as a share of the picture's shorter side."""

CROWD: Final = 8
"""Boxes above which those that were found bear no words, and letters are smaller."""


@dataclass(frozen=True, kw_only=True)
class BoxMark:
    """A box: ``found`` and ``false`` are said, ``missed`` and ``true`` are there.

    Attributes:
        words: what stands at its upper left corner; "" for nothing.
    """

    state: State
    x0: float
    y0: float
    x1: float
    y1: float
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class PointMark:
    """A point: where it was said to be and where it is, each None where nobody knows."""

    said: tuple[float, float] | None
    true: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Marks:
    """All that lies on a picture of ``height`` × ``width`` pixels.

    Attributes:
        pixels: state → (height, width) bool, the pixels in that state.
    """

    height: int
    width: int
    boxes: Sequence[BoxMark] = ()
    points: Sequence[PointMark] = ()
    pixels: tuple[tuple[State, NDArray[np.bool_]], ...] = ()


def overlay(marks: Marks) -> Markup:
    """Return an SVG of the picture's own pixels, to be laid over it."""
    unit = min(marks.height, marks.width)
    crowded = sum(one.state != "true" for one in marks.boxes) > CROWD
    parts = [_area(state, area) for state, area in marks.pixels]
    # What is true lies under what was said.
    for one in sorted(marks.boxes, key=lambda box: box.state != "true"):
        parts += _box(one, unit, crowded=crowded)
    for point in marks.points:
        parts += _point(point, unit)
    return tag(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {marks.width} {marks.height}",
        width=marks.width * 4,
        height=marks.height * 4,
    )


def _box(one: BoxMark, unit: int, *, crowded: bool) -> list[Markup]:
    color, thick = COLORS[one.state], unit / 64
    dashes = f"{3 * thick:g} {2 * thick:g}" if one.state in ("missed", "true") else None
    parts = [
        tag(
            "rect",
            x=one.x0,
            y=one.y0,
            width=round(one.x1 - one.x0, 2),
            height=round(one.y1 - one.y0, 2),
            fill="none",
            stroke=color,
            stroke_width=round(thick, 3),
            stroke_dasharray=dashes,
        )
    ]
    if one.words and not (crowded and one.state == "found"):
        size = round(max(LETTERS * unit * (0.6 if crowded else 1), 3), 2)
        above = one.y0 - size * 0.3
        y = above if above > size else one.y1 + size
        parts.append(
            tag(
                "text",
                one.words,
                x=one.x0,
                y=round(y, 2),
                fill=color,
                font_size=size,
                font_family="sans-serif",
                font_weight="bold",
                stroke=palette.INK,
                stroke_width=round(size / 7, 2),
                paint_order="stroke",
            )
        )
    return parts


def _point(one: PointMark, unit: int) -> list[Markup]:
    thick = round(unit / 130, 3)
    parts = []
    if one.said and one.true:
        (x1, y1), (x2, y2) = one.said, one.true
        parts.append(tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=palette.RED,
                         stroke_width=thick))  # fmt: skip
    if one.true:
        parts.append(tag("circle", cx=one.true[0], cy=one.true[1], r=2 * thick, fill="none",
                         stroke=palette.GOOD, stroke_width=thick))  # fmt: skip
    if one.said:
        parts.append(tag("circle", cx=one.said[0], cy=one.said[1], r=1.5 * thick,
                         fill=palette.RED))  # fmt: skip
    return parts


def _area(state: State, area: NDArray[np.bool_]) -> Markup:
    """Return the pixels of an area as one path of the runs of its rows."""
    width = area.shape[1]
    padded = np.zeros((area.shape[0], width + 2), np.int8)
    padded[:, 1:-1] = area
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    runs = zip(starts.tolist(), rows.tolist(), (ends - starts).tolist(), strict=True)
    path = "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs)
    return tag("path", d=path, fill=COLORS[state], fill_opacity=0.55, shape_rendering="crispEdges")
