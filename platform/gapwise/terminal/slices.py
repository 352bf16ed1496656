"""Error by column, and weak slices."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid, interval, percent

MOST_VALUES = 6


def show_slices(document: Mapping[str, Any]) -> None:
    """Print the answer, weak and named slices, and each column's values with the highest errors."""
    from rich.text import Text

    out = console()
    out.print(Text(document["says"]), soft_wrap=True)
    for title, key in (("Named", "named"), ("Weak", "weak")):
        if document[key]:
            table = grid("Slice", "Error", "95 %", "n", "Elsewhere", "p", "", title=title)
            for one in document[key]:
                table.add_row(
                    Text(one["slice"]),
                    percent(one["error"]),
                    interval(one["low"], one["high"]),
                    f"{one['n']:,}",
                    percent(one["rest"]),
                    f"{one['p_value']:.2g}",
                    "confirmed" if one["confirmed"] else "not confirmed",
                )
            out.print(table)
    for name, values in document["columns"].items():
        table = grid(name, "Error", "95 %", "n")
        for one in values[:MOST_VALUES]:
            table.add_row(
                Text(one["value"]),
                percent(one["error"]),
                interval(one["low"], one["high"]),
                f"{one['n']:,}",
            )
        if len(values) > MOST_VALUES:
            table.add_row(f"… {len(values) - MOST_VALUES} more", "", "", "")
        out.print(table)
