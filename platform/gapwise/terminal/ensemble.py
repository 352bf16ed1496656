"""What an ensemble gains on its members."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid, percent, say

SHOWN_ID = 12


def show_ensemble(document: Mapping[str, Any]) -> None:
    """Print the dev errors of the members and of their average, and what to ask next."""
    screen = console()
    if document["dev_error"] is not None:
        table = grid("Run", "Dev error")
        for run_id, error in document["members"].items():
            table.add_row(run_id[:SHOWN_ID], percent(error, 2))
        made = document["run_id"][:SHOWN_ID]
        table.add_row(f"[bold]{made}, the average[/]", percent(document["dev_error"], 2))
        screen.print(table)
    averaged = ", ".join(_split(document, split) for split in document["splits"])
    screen.print(f"Averaged examples: {averaged}.", highlight=False)
    first = min(document["members"], key=lambda run_id: document["members"][run_id] or 0.0)
    say(f"Next: gapwise compare {first[:SHOWN_ID]} {document['run_id'][:SHOWN_ID]}")


def _split(document: Mapping[str, Any], split: str) -> str:
    says = f"{split.replace('_', '-')} {document['splits'][split]:,}"
    left = document["left_out"].get(split)
    return f"{says} ({left:,} left out: not every run predicted them)" if left else says
