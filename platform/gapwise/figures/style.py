"""The look that all figures share: font, ground, grid, no chrome."""

from typing import Any, Final

import plotly.graph_objects as go

from gapwise.figures import palette

FONT: Final = '"Source Sans", "Source Sans 3", system-ui, "Segoe UI", Helvetica, Arial, sans-serif'


def figure(traces: list[Any], *, height: int, left: int = 90, right: int = 16) -> go.Figure:
    """Return a figure of ``traces`` in the shared look; sizes in pixels."""
    drawn = go.Figure(traces)
    drawn.update_layout(
        template="none",
        height=height,
        margin={"l": left, "r": right, "t": 12, "b": 36},
        font={"family": FONT, "size": 13.5, "color": palette.INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        barmode="overlay",
        hoverlabel={
            "bgcolor": palette.CARD,
            "bordercolor": palette.LINE,
            # Plotly writes in the border's colour where none is given.
            "font": {"size": 13, "color": palette.INK},
        },
        dragmode=False,
    )
    drawn.update_xaxes(gridcolor=palette.GRID, zeroline=False, fixedrange=True, ticks="")
    drawn.update_yaxes(gridcolor=palette.GRID, zeroline=False, fixedrange=True, ticks="")
    drawn.update_xaxes(tickfont_color=palette.MUTED, title_font_size=12.5)
    drawn.update_yaxes(title_font_size=12.5)
    return drawn


def note(drawn: go.Figure, text: str, **where: Any) -> None:
    """Write ``text``, which is already plotly-safe, at a place in the figure."""
    drawn.add_annotation(text=text, showarrow=False, **({"font_size": 13} | where))
