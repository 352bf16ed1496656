"""Every trial of a search as a line across all of its knobs."""

from collections.abc import Sequence

import plotly.graph_objects as go

from gapwise.figures import style, words
from gapwise.figures.trial_dots import SCALE, KnobAxis, TrialDot, example_axes, examples

__all__ = ["search_parallel"]

HEIGHT = 360


def search_parallel(dots: Sequence[TrialDot], axes: Sequence[KnobAxis]) -> go.Figure:
    """Draw each trial as a line across all knobs to its error; ranges can be brushed."""
    whole = [dot for dot in dots if all(axis.key in dot.places for axis in axes)]
    dimensions = [
        {
            "label": words.plotly_text(axis.key.rpartition(".")[2]),
            "values": [dot.places[axis.key] for dot in whole],
            "range": [min(axis.ticks), max(axis.ticks)],
            "tickvals": list(axis.ticks),
            "ticktext": list(axis.ticks.values()),
        }
        for axis in axes
    ]
    errors = [100 * dot.error for dot in whole]
    dimensions.append({"label": "dev error, %", "values": errors})
    low = min(errors, default=0.0)
    drawn = style.figure([], height=HEIGHT, left=60, right=60)
    drawn.add_trace(
        go.Parcoords(
            dimensions=dimensions,
            line={"color": errors, "colorscale": SCALE, "cmin": low, "cmax": 2 * low + 1},
            labelfont={"size": 12},
            tickfont={"size": 11},
        )
    )
    drawn.update_layout(margin={"t": 48, "b": 24})
    return drawn


def example() -> go.Figure:
    """Draw eight trials and two knobs (made-up numbers)."""
    return search_parallel(examples(), example_axes())
