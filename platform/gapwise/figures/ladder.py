"""The error ladder: one bar a rung, the part that its gap adds in the gap's colour."""

from collections.abc import Sequence

import plotly.graph_objects as go

from gapwise.figures import palette, style, words
from gapwise.records import RUNGS, Gap, Rung

__all__ = ["ladder"]

ROW = 74
BAR = 0.34


def ladder(rungs: Sequence[Rung], gaps: Sequence[Gap], *, hidden: str = "") -> go.Figure:
    """Draw the ladder.

    Args:
        rungs: in their order, human first where there is one; errors are fractions of 1.
        gaps: one a rung after the human level, in order.
        hidden: what to say in the test rung's place; empty: nothing.
    """
    shown = {rung.rung: rung for rung in rungs}
    rows = [
        name for name in RUNGS if name in shown or name == "human" or (name == "test" and hidden)
    ]
    height = {name: len(rows) - 1 - index for index, name in enumerate(rows)}
    limit = _limit(rungs)
    drawn = style.figure([], height=len(rows) * ROW + 52, left=84)
    steps = dict(zip([r.rung for r in rungs if r.rung != "human"], gaps, strict=False))
    base = 0.0
    for rung in rungs:
        _bar(drawn, rung, base, steps.get(rung.rung), height[rung.rung])
        _label(drawn, rung, steps.get(rung.rung), height[rung.rung], limit)
        base = rung.error
    if "human" not in shown:
        _absent(drawn, "not measured: bias is counted from 0", height["human"])
    if hidden and "test" not in shown:
        _absent(drawn, words.plotly_text(hidden), height["test"])
    _axes(drawn, height, limit)
    return drawn


def example() -> go.Figure:
    """Draw the ladder of a run that a mismatch holds back (made-up numbers)."""
    rungs = [
        Rung(rung="human", error=0.002, low=0.0, high=0.01, n=600),
        Rung(rung="train", error=0.005, low=0.004, high=0.006, n=12000),
        Rung(rung="train_dev", error=0.009, low=0.007, high=0.012, n=5000),
        Rung(rung="dev", error=0.05, low=0.038, high=0.054, n=1000),
    ]
    names = ("avoidable_bias", "variance", "data_mismatch")
    steps = zip(names, (0.003, 0.004, 0.041), strict=True)
    gaps = [
        Gap(name=n, gap=g, low=g / 2, high=2 * g, is_high=g > 0.01, probability_largest=0.3)
        for n, g in steps
    ]
    return ladder(rungs, gaps, hidden="shown on request; each look is counted")


def _limit(rungs: Sequence[Rung]) -> float:
    return max([0.02, *(max(rung.error, rung.high or 0.0) for rung in rungs)]) * 1.06


def _bar(drawn: go.Figure, rung: Rung, base: float, gap: Gap | None, y: float) -> None:
    common = {"orientation": "h", "width": BAR, "hoverinfo": "skip", "y": [y]}
    common |= {"marker_cornerradius": 4}
    color = palette.of_gap(gap.name) if gap else palette.STEEL
    grey = min(base, rung.error) if gap else rung.error
    drawn.add_bar(x=[grey], marker_color=palette.STEEL, **common)
    if gap and rung.error > base:
        drawn.add_bar(x=[rung.error - base], base=[base], marker_color=color, **common)
    elif gap and base > rung.error:
        line = {"color": color, "width": 1.5}
        drawn.add_bar(
            x=[base - rung.error],
            base=[rung.error],
            marker={
                "color": palette.CARD,
                "line": line,
                "pattern": {"shape": "/", "fgcolor": color},
            },
            opacity=0.55,
            **common,
        )
    if rung.low is not None and rung.high is not None:
        drawn.add_scatter(
            x=[rung.low, rung.high],
            y=[y, y],
            mode="lines",
            line={"color": palette.INK, "width": 1.6},
            hoverinfo="skip",
        )


def _label(drawn: go.Figure, rung: Rung, gap: Gap | None, y: float, limit: float) -> None:
    interval = words.span(rung.low, rung.high) or rung.why
    text = f"<b>{words.percent(rung.error)}</b>"
    size = f"n = {rung.n:,}" if rung.n else "n not stated"
    if gap:
        says = f"{words.points(gap.gap)} {words.of_gap(gap.name)}"
        inside = words.span(gap.low, gap.high)
        color = palette.of_gap(gap.name)
        text += f"  <span style='color:{color}'>{says}{f' ({inside})' if inside else ''}</span>"
    else:
        text += f"  <span style='color:{palette.MUTED}'>{words.plotly_text(size)}</span>"
    end = max(rung.error, rung.high or 0.0)
    if end < 0.42 * limit:
        where = {"x": end, "y": y, "xanchor": "left", "xshift": 10}
    else:
        where = {"x": end, "y": y + BAR / 2, "xanchor": "right", "yanchor": "bottom", "yshift": 1}
    style.note(drawn, text, **where, font_size=13.5)
    drawn.add_scatter(
        x=[rung.error],
        y=[y],
        mode="markers",
        marker={"size": 22, "opacity": 0},
        hovertemplate=f"{words.of_rung(rung.rung)} {words.percent(rung.error)}"
        f"<br>95 %: {words.plotly_text(interval)}<br>{size}<extra></extra>",
    )


def _absent(drawn: go.Figure, text: str, y: float) -> None:
    style.note(drawn, text, x=0, y=y, xanchor="left", xshift=8, font_color=palette.FAINT)


def _axes(drawn: go.Figure, height: dict[str, int], limit: float) -> None:
    drawn.update_yaxes(
        tickvals=list(height.values()),
        ticktext=[words.of_rung(name) + "  " for name in height],
        range=[-0.6, len(height) - 0.4],
        showgrid=False,
    )
    drawn.update_xaxes(range=[0, limit], tickformat=".0%" if limit > 0.06 else ".1%", nticks=7)
