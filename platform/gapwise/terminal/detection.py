"""Boxes on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from gapwise.errors import shown
from gapwise.terminal.out import console, grid, say


def show_boxes(document: Mapping[str, Any]) -> None:
    """Print where the boxes of a split went."""
    say(f"Wrote the boxes of {document['n']} examples to {' and '.join(document['files'])}.")


def show_slid(found: Sequence[Mapping[str, Any]]) -> None:
    """Print what a sliding window found, the surest first."""
    if not found:
        say("No window shows anything that surely; lower --least-score or add a --scale.")
        return
    table = grid("class", "score", "left", "top", "right", "bottom")
    for one in found:
        sides = [f"{side:g}" for side in one["box"]]
        table.add_row(shown(one["name"], 40), f"{one['score']:.3f}", *sides)
    console().print(table)
