"""What an ensemble gains on its members."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid, percent, say


def show_ensemble(document: Mapping[str, Any]) -> None:
    """Print the dev errors of the members and of their average, and what to ask next."""
    screen = console()
    if document["dev_error"] is not None:
        table = grid("Run", "Dev error")
        for run_id, error in document["members"].items():
            table.add_row(run_id[:12], percent(error, 2))
        table.add_row(
            f"[bold]{document['run_id'][:12]}, the average[/]", percent(document["dev_error"], 2)
        )
        screen.print(table)
    averaged = ", ".join(
        f"{split.replace('_', '-')} {n:,}" for split, n in document["splits"].items()
    )
    screen.print(f"Averaged: {averaged}.", highlight=False)
    first = next(iter(document["members"]), "RUN")
    say(f"Next: gapwise compare {first[:12]} {document['run_id'][:12]}")
