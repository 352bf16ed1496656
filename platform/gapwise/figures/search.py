"""A search: where it drew and why there, how its trials went, and what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["course", "importance", "parallel", "regions", "trial_curves"]

HEIGHT = 360
_SCALE: Final = [[0.0, "#14365f"], [0.5, palette.BLUE], [1.0, palette.STEEL]]
_ROUNDS: Final = (palette.FAINT, palette.AMBER, palette.RED, palette.VIOLET, palette.PINE)


@dataclass(frozen=True, kw_only=True)
class TrialDot:
    """One trial: its number, state, error, places by knob (0 to 1), setting and curve."""

    number: int
    state: str
    error: float
    places: Mapping[str, float]
    setting: str
    curve: tuple[float, ...]

    @property
    def ended(self) -> bool:
        """Whether it was trained to the end."""
        return self.state == "done"


@dataclass(frozen=True, kw_only=True)
class KnobAxis:
    """A knob as an axis: its key, what stands at some places, and each round's range there."""

    key: str
    ticks: Mapping[float, str]
    ranges: tuple[tuple[float, float] | None, ...]


def regions(dots: Sequence[TrialDot], x: KnobAxis, y: KnobAxis) -> go.Figure:
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
                "colorscale": _SCALE, "cmin": _best(dots), "cmax": _best(dots) * 2 + 0.01,
                "line": {"width": 1.4},
            },
            text=[_told(dot) for dot in mine],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    drawn.update_xaxes(title=words.plotly_text(x.key), **_ticks(x))
    drawn.update_yaxes(title=words.plotly_text(y.key.rpartition(".")[2]), **_ticks(y))
    return drawn


def trial_curves(dots: Sequence[TrialDot], rungs: Sequence[int]) -> go.Figure:
    """Draw the dev error of every trial by epoch; those that were stopped fade, rungs are lines."""
    drawn = style.figure([], height=HEIGHT, left=56)
    drawn.update_layout(margin_b=48)
    for rung in rungs[:-1]:
        drawn.add_vline(x=rung, line={"color": palette.LINE, "width": 1, "dash": "dot"})
    best = min((dot.error for dot in dots if dot.ended), default=None)
    for dot in sorted(dots, key=lambda one: (one.ended, -one.error)):
        is_best = dot.ended and dot.error == best
        colour = palette.BLUE if is_best else palette.TEAL if dot.ended else palette.FAINT
        drawn.add_scatter(
            x=list(range(1, len(dot.curve) + 1)),
            y=list(dot.curve),
            mode="lines+markers" if len(dot.curve) == 1 else "lines",
            opacity=1.0 if dot.ended else 0.35,
            line={"color": colour, "width": 2.6 if is_best else 1.4},
            marker={"size": 4, "color": colour},
            text=[_told(dot)] * len(dot.curve),
            hovertemplate="%{text}<br>epoch %{x}: %{y:.1%}<extra></extra>",
        )
    drawn.update_xaxes(title="Epoch", rangemode="tozero")
    drawn.update_yaxes(tickformat=".0%", rangemode="tozero")
    return drawn


def course(epochs: Sequence[int], best: Sequence[float], total: int, whole: int) -> go.Figure:
    """Draw the lowest error so far against what was trained.

    Args:
        epochs, best: each improvement.
        total: epochs trained until now.
        whole: epochs of one training to the end, which the axis also counts in.
    """
    drawn = style.figure([], height=260, left=56)
    drawn.update_layout(margin_b=48)
    drawn.add_scatter(
        x=[*epochs, total],
        y=[*best, *best[-1:]],
        mode="lines",
        line={"color": palette.BLUE, "width": 2.2, "shape": "hv"},
        hovertemplate="after %{x} epochs: %{y:.1%}<extra></extra>",
    )
    drawn.update_xaxes(title=f"Epochs trained in all ({whole} are one training to the end)")
    drawn.update_yaxes(tickformat=".0%", rangemode="tozero")
    return drawn


def importance(shares: Mapping[str, float]) -> go.Figure:
    """Draw each knob's share, the greatest on top."""
    ordered = sorted(shares.items(), key=lambda item: item[1])
    names = [words.plotly_text(key) for key, _ in ordered]
    drawn = style.figure([], height=60 + 26 * len(ordered), left=200)
    drawn.add_bar(
        x=[share for _, share in ordered],
        y=names,
        orientation="h",
        marker={"color": palette.TEAL},
        text=[f"{100 * share:.0f} %" for _, share in ordered],
        textposition="auto",
        hoverinfo="skip",
    )
    drawn.update_xaxes(visible=False)
    return drawn


def parallel(dots: Sequence[TrialDot], axes: Sequence[KnobAxis]) -> go.Figure:
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
            line={"color": errors, "colorscale": _SCALE, "cmin": low, "cmax": 2 * low + 1},
            labelfont={"size": 12},
            tickfont={"size": 11},
        )
    )
    drawn.update_layout(margin={"t": 48, "b": 24})
    return drawn


def _kind(dot: TrialDot) -> str:
    return dot.state if dot.state in ("done", "stopped") else "other"


def _best(dots: Sequence[TrialDot]) -> float:
    return min((dot.error for dot in dots), default=0.0)


def _told(dot: TrialDot) -> str:
    epochs = words.count(len(dot.curve), "epoch")
    head = f"trial {dot.number}: {words.percent(dot.error)} after {epochs}"
    lines = "<br>".join(words.plotly_text(line) for line in dot.setting.split("\n"))
    return f"{head} ({dot.state})<br>{lines}"


def _ticks(axis: KnobAxis) -> dict[str, object]:
    spread = [end for ends in axis.ranges if ends is not None for end in ends]
    ends = [min([0.0, *spread]) - 0.05, max([1.0, *spread]) + 0.08]
    return {"tickvals": list(axis.ticks), "ticktext": list(axis.ticks.values()), "range": ends}
