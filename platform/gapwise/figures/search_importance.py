"""What each knob of a search mattered."""

from collections.abc import Mapping

import plotly.graph_objects as go

from gapwise.figures import palette, style, words

__all__ = ["search_importance"]


def search_importance(shares: Mapping[str, float]) -> go.Figure:
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


def example() -> go.Figure:
    """Draw two knobs (made-up numbers)."""
    return search_importance({"training.optimizer.lr": 0.7, "training.batch_size": 0.3})
