"""Where each round of a search drew, by two knobs."""

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from gapwise.figures import palette, style, words
from gapwise.figures.trial_dots import SCALE, KnobAxis, TrialDot, example_axes, examples, told

__all__ = ["search_regions"]

HEIGHT = 360
_ROUNDS: Final = (palette.FAINT, palette.AMBER, palette.RED, palette.VIOLET, palette.PINE)


def search_regions(dots: Sequence[TrialDot], x: KnobAxis, y: KnobAxis) -> go.Figure:
    """Draw the trials by two knobs, the darker the lower their error, and each round's region.

    Args:
        dots: the trials that have a place on both.
        x, y: the knobs.
    """
    drawn = style.figure([], height=HEIGHT, left=76, right=16)
    drawn.update_layout(margin_b=54)
    for number, (across, up) in enumerate(zip(x.ranges, y.ranges, strict=True)):
        if across is None or up is None:
            continue
        colour = _ROUNDS[number % len(_ROUNDS)]
        drawn.add_shape(
            type="rect", x0=across[0], x1=across[1], y0=up[0], y1=up[1],
            line={"color": colour, "width": 1.8, "dash": "solid" if number else "dot"},
        )  # fmt: skip
        style.note(
            drawn, f"round {number + 1}", x=across[1], y=up[1], xanchor="right", yanchor="bottom",
            font={"size": 11.5, "color": colour},
        )  # fmt: skip
    for state, symbol in (("done", "circle"), ("stopped", "circle-open"), ("other", "x-thin-open")):
        mine = [dot for dot in dots if _kind(dot) == state]
        drawn.add_scatter(
            x=[dot.places[x.key] for dot in mine],
            y=[dot.places[y.key] for dot in mine],
            mode="markers",
            marker={
                "size": 10, "symbol": symbol, "color": [dot.error for dot in mine],
                "colorscale": SCALE, "cmin": _best(dots), "cmax": _best(dots) * 2 + 0.01,
                "line": {"width": 1.4},
            },
            text=[told(dot) for dot in mine],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    drawn.update_xaxes(title=words.plotly_text(x.key), **_ticks(x))
    drawn.update_yaxes(title=words.plotly_text(y.key.rpartition(".")[2]), **_ticks(y))
    return drawn


def example() -> go.Figure:
    """Draw eight trials and two rounds (made-up numbers)."""
    return search_regions(examples(), *example_axes())


def _kind(dot: TrialDot) -> str:
    return dot.state if dot.state in ("done", "stopped") else "other"


def _best(dots: Sequence[TrialDot]) -> float:
    return min((dot.error for dot in dots), default=0.0)


def _ticks(axis: KnobAxis) -> dict[str, object]:
    spread = [end for ends in axis.ranges if ends is not None for end in ends]
    ends = [min([0.0, *spread]) - 0.05, max([1.0, *spread]) + 0.08]
    return {"tickvals": list(axis.ticks), "ticktext": list(axis.ticks.values()), "range": ends}
