"""Suspects, the most suspect first."""

from collections.abc import Mapping, Sequence
from typing import Any

from gapwise.terminal.out import console, grid

MOST_ROWS = 30


def show_suspects(document: Sequence[Mapping[str, Any]]) -> None:
    """Print the first of them."""
    from rich.text import Text

    out = console()
    table = grid("Example", "Split", "Label", "Network says", "Suspicion")
    for one in document[:MOST_ROWS]:
        table.add_row(
            Text(one["example_id"]),
            one["split"].replace("_", "-"),
            Text(one["given"]),
            Text(one["suggested"]),
            f"{one['suspicion']:.3f}",
        )
    out.print(table)
    doubted = sum(one["suspicion"] > 0.5 for one in document)
    out.print(f"Of {len(document):,} labels the network disputes {doubted:,}.", highlight=False)
    if len(document) > MOST_ROWS:
        out.print(f"… and {len(document) - MOST_ROWS:,} more, with --json.", highlight=False)
