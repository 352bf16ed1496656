"""What a knob gained, and the decision log."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid, say

COLOURS = {"kept": "green", "dropped": "red", "undecided": "yellow"}


def show_attempt(document: Mapping[str, Any]) -> None:
    """Print what the knob could gain and what it gained."""
    from rich.text import Text

    out = console()
    for key, value in document["change"].items():
        out.print(Text(f"  {key}: {value}"))
    out.print(Text(document["says"]), soft_wrap=True)
    out.print(Text(f"Run {document['new']}; base {document['base']}."), soft_wrap=True)


def show_decided(document: Mapping[str, Any]) -> None:
    """Print what was noted."""
    say(f"Noted: {document['knob']} is {document['outcome']}.")


def show_decisions(document: Mapping[str, Any]) -> None:
    """Print every decision, the newest first, and how good the advice has been."""
    from rich.text import Text

    from gapwise.diagnostics.words import of_gap

    out = console()
    if document["decisions"]:
        table = grid("When", "Run", "Knob", "Gap", "At most", "Gained", "Outcome", "Why")
        for one in document["decisions"]:
            span = (
                "" if one["low"] is None else f" ({100 * one['low']:.1f} … {100 * one['high']:.1f})"
            )
            most = "–" if one["at_most"] is None else f"{100 * one['at_most']:.1f}"
            table.add_row(
                one["utc"][:10],
                Text(one["base_name"] or one["base"][:10]),
                one["knob"],
                of_gap(one["gap"]),
                most,
                f"{100 * one['gained']:+.1f}{span}",
                Text(one["outcome"], COLOURS[one["outcome"]]),
                Text(one["why"]),
            )
        out.print(table)
    out.print(Text(document["record"]["says"]), soft_wrap=True)
