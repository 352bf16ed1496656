"""The table of notes 4.14 on a terminal: errors in the general and the target distribution."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_LABELS = {"human": "people", "trained on": "trained on", "not trained on": "not trained on"}
_BEYOND_THE_LADDER = {("human", "target"), ("trained on", "target")}


def show(out: "Console", cells: Sequence[Mapping[str, Any]]) -> None:
    """Print the table where it says more than the ladder, whose rungs are its other cells."""
    from rich import box
    from rich.table import Table

    known = {(cell["row"], cell["column"]) for cell in cells if cell["error"] is not None}
    if "general" not in {column for _, column in known} or not known & _BEYOND_THE_LADDER:
        return
    table = Table("Error of", "General", "Target", box=box.SIMPLE)
    for row, label in _LABELS.items():
        table.add_row(label, *(_cell(cell) for cell in cells if cell["row"] == row))
    out.print(table)


def _cell(cell: Mapping[str, Any]) -> str:
    if cell["error"] is None:
        return "–"
    text = f"{100 * cell['error']:.1f} %"
    if cell["low"] is not None:
        text += f" ({100 * cell['low']:.1f} – {100 * cell['high']:.1f})"
    return text if cell["n"] is None else f"{text}, n {cell['n']:,}"
