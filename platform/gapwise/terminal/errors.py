"""The error table on a terminal."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid


def show_error_table(document: Mapping[str, Any]) -> None:
    """Print the tags, the greatest gain by effort first, and their unions."""
    from rich.text import Text

    out = console()
    if document["rows"]:
        table = grid("Tag", "Errors", "Share", "95 %", "Error without it", "Effort")
        for row in (*document["rows"], *document["unions"]):
            table.add_row(
                Text(row["name"]),
                f"{row['count']}",
                f"{100 * row['share']:.0f} %",
                _span(row["low"], row["high"]),
                f"{100 * row['ceiling']:.1f} %",
                "" if row["effort"] is None else f"{row['effort']:g}",
            )
        out.print(table)
    out.print(document["says"], highlight=False, markup=False)
    if document["outside"]:
        out.print(
            f"{document['outside']:,} more errors are tagged outside the random sample; they were "
            "chosen, so they count nowhere.",
            highlight=False,
        )


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:.0f}–{100 * high:.0f}"
