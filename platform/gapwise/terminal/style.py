"""Style transfer on a terminal."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console


def step_told(step: Mapping[str, Any], steps: int) -> str:
    """Return a line on how far it is."""
    return (
        f"step {step['step']}/{steps}: content {step['content']:.4g}, style {step['style']:.4g}, "
        f"total {step['total']:.4g}"
    )


def show_styled(document: Mapping[str, Any]) -> None:
    """Print where the picture is, and what became of the cost."""
    first, last = document["steps"][0], document["steps"][-1]
    console().print(
        f"Wrote {document['file']} with {document['features']}: total cost {first['total']:.4g} → "
        f"{last['total']:.4g}, style {first['style']:.4g} → {last['style']:.4g}."
    )
