"""A map of encodings: pictures that a network finds alike lie near one another (notes 7.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["encodings"]

HEIGHT: Final = 430
SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross")
MOST_NAMED: Final = 30


@dataclass(frozen=True, kw_only=True)
class Point:
    """An example's place on the map, its class, its id, and whether it is taken for its own."""

    x: float
    y: float
    label: str
    example_id: str
    right: bool


def encodings(points: Sequence[Point]) -> go.Figure:
    """Draw a point an example, each class in its colour and shape, what is wrong ringed in red.

    Distances on the map are a picture of those between encodings: who is near is near, but how far
    the far ones are means little.
    """
    drawn = style.figure([], height=HEIGHT, left=10, right=10)
    drawn.update_layout(margin_b=10)
    labels = list(dict.fromkeys(point.label for point in points))
    for place, label in enumerate(labels):
        mine = [point for point in points if point.label == label]
        drawn.add_scatter(
            x=[point.x for point in mine],
            y=[point.y for point in mine],
            mode="markers",
            marker={
                "size": 9,
                "color": palette.SERIES[place % len(palette.SERIES)],
                "symbol": SYMBOLS[place // len(palette.SERIES) % len(SYMBOLS)],
                "line": {
                    "color": [palette.CARD if point.right else palette.RED for point in mine],
                    "width": [0.5 if point.right else 2.2 for point in mine],
                },
            },
            text=[words.plotly_text(f"{label}: {point.example_id}") for point in mine],
            hovertemplate="%{text}<extra></extra>",
        )
        if len(labels) <= MOST_NAMED:
            style.note(
                drawn,
                words.plotly_text(label),
                x=sum(point.x for point in mine) / len(mine),
                y=max(point.y for point in mine),
                yshift=12,
            )
    for axis in (drawn.update_xaxes, drawn.update_yaxes):
        axis(showticklabels=False, showgrid=False)
    return drawn


def example() -> go.Figure:
    """Draw three people, one picture of whom lies among another's."""
    places = {"ann": (0.0, 0.0), "bob": (3.0, 0.5), "cy": (1.5, 2.5)}
    points = [
        Point(x=x + dx, y=y + dy, label=name, example_id=f"{name}/{n}", right=True)
        for name, (x, y) in places.items()
        for n, (dx, dy) in enumerate(((0.0, 0.1), (0.3, 0.0), (0.1, 0.4)))
    ]
    stray = Point(x=2.8, y=0.8, label="ann", example_id="ann/3", right=False)
    return encodings([*points, stray])
