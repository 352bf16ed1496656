"""How two splits differ."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid, hanging, percent

MOST_ROWS = 12


def show_mismatch(document: Mapping[str, Any]) -> None:
    """Print what matters, and the columns that differ most."""
    from rich.text import Text

    out = console()
    before = document["before"].replace("_", "-")
    sizes = f"{document['n_before']:,} of {before}, {document['n_after']:,} of dev"
    out.print(f"Dev against {before}: {sizes}.", highlight=False)
    for says in document["says"] or ["Nothing that is known of the examples tells them apart."]:
        hanging(out, "  ·", says)
    if document["numbers"]:
        table = grid("Number", before, "dev", "Difference", "95 %", "Deviations")
        for one in document["numbers"][:MOST_ROWS]:
            ends = "" if one["low"] is None else f"{one['low']:+.3g} to {one['high']:+.3g}"
            table.add_row(
                Text(one["column"]),
                f"{one['before']:.3g}",
                f"{one['after']:.3g}",
                f"{one['difference']:+.3g}",
                ends,
                f"{one['in_deviations']:+.2f}",
            )
        out.print(table)
    if document["names"]:
        table = grid("Name", "Apart", "Differs most", before, "dev", "Of dev unseen")
        for one in document["names"][:MOST_ROWS]:
            value, first, second = one["most"]
            table.add_row(
                Text(one["column"]),
                f"{one['apart']:.2f}",
                Text(str(value)),
                percent(first),
                percent(second),
                percent(one["unseen"]),
            )
        out.print(table)
