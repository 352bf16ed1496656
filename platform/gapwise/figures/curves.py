"""Learning curves: a metric by epoch, one line a series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["curves"]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line: values by step; ``split`` decides its colour."""

    steps: Sequence[float]
    values: Sequence[float]
    split: str = ""


def curves(
    lines: Mapping[str, Curve], *, y: str, as_percent: bool = False, best: float | None = None
) -> go.Figure:
    """Draw one line a series, its name at its end.

    Args:
        lines: name → curve.
        y: what the values are, as the vertical axis's title.
        as_percent: the values are fractions of 1.
        best: step of the best checkpoint, marked; None: not marked.
    """
    spare = iter(palette.SERIES)
    drawn = style.figure([], height=360, left=64, right=64)
    for name, curve in lines.items():
        color = palette.SPLITS.get(curve.split) or next(spare, palette.MUTED)
        _line(drawn, name, curve, color)
    if best is not None:
        drawn.add_vline(x=best, line={"color": palette.FAINT, "width": 1, "dash": "dot"})
        style.note(drawn, f"best: epoch {best:g}", x=best, y=1, yref="paper", yanchor="bottom")
    last = max((max(curve.steps, default=0) for curve in lines.values()), default=0)
    drawn.update_xaxes(title_text="epoch", title_font_color=palette.MUTED, showgrid=False)
    drawn.update_xaxes(dtick=max(1, round(last / 8)), range=[0, max(1, last)])
    drawn.update_yaxes(title_text=words.plotly_text(y), title_font_color=palette.MUTED)
    drawn.update_yaxes(rangemode="tozero", tickformat=".0%" if as_percent else "")
    drawn.update_yaxes(ticksuffix="  ")
    drawn.update_layout(hovermode="x unified", margin_t=24)
    return drawn


def example() -> go.Figure:
    """Draw two short curves (made-up numbers)."""
    steps = list(range(1, 9))
    lines = {
        "train": Curve(steps=steps, values=[0.4 / s for s in steps], split="train"),
        "dev": Curve(steps=steps, values=[0.1 + 0.4 / s for s in steps], split="dev"),
    }
    return curves(lines, y="error", as_percent=True, best=7)


def _line(drawn: go.Figure, name: str, curve: Curve, color: str) -> None:
    safe = words.plotly_text(name)
    one = len(curve.values) == 1
    drawn.add_scatter(
        x=list(curve.steps),
        y=list(curve.values),
        name=safe,
        mode="markers" if one else "lines",
        line={"color": color, "width": 2.2},
        marker={"color": color, "size": 9},
        cliponaxis=False,  # a run of one epoch is a point on the edge
    )
    if len(curve.values):
        style.note(
            drawn,
            safe,
            x=curve.steps[-1],
            y=curve.values[-1],
            xanchor="left",
            xshift=8,
            font_color=color,
        )
