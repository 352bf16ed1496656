"""What people prefer, and how runs rank under a metric."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid, say
from gapwise.terminal.selection import figure

MOST_ROWS = 20


def show_preference(document: Mapping[str, Any]) -> None:
    """Print what was noted."""
    better, worse = document["names"]
    told = "is no longer preferred to" if document["withdrawn"] else "is preferred to"
    say(f"Noted: {better} {told} {worse} (ledger, revision {document['revision']}).")


def show_metric(document: Mapping[str, Any]) -> None:
    """Print the ranking, what each metric says of the preferences, and what to do."""
    from rich.text import Text

    out = console()
    metric = document["metrics"][-1]["metric"]
    first = document["metrics"][0]["metric"]
    table = grid("Rank", "Run", metric, *([f"Rank by {first}"] if metric != first else []))
    for row in document["ranking"][:MOST_ROWS]:
        moved = [str(row["before"])] if metric != first else []
        table.add_row(str(row["rank"]), Text(row["name"]), Text(figure(metric, row)), *moved)
    out.print(table)
    more = len(document["ranking"]) - MOST_ROWS
    if more > 0:
        out.print(f"and {more} more: --json lists all.", highlight=False)
    for one in document["metrics"]:
        out.print(Text(one["says"]), soft_wrap=True)
    out.print(Text(document["says"]), soft_wrap=True)
    if document["wear"]:
        out.print(Text(document["wear"]["says"]), soft_wrap=True)
    for one in document["left_out"]:
        say(f"Left out: run {one['run_id'][:10]}: {one['why']}.")
