"""Labels that moved, and runs re-scored."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid

MOST_RUNS = 30
MOST_ORPHANS = 3


def show_moved(document: Mapping[str, Any]) -> None:
    """Print what an export wrote, or an import added."""
    out = console()
    if "new" not in document:
        out.print(
            f"{document['rows']:,} rows of {document['dataset']} at revision "
            f"{document['revision']} → {document['file']}",
            markup=False,
            highlight=False,
        )
        return
    out.print(
        f"{document['rows']:,} rows read, {document['new']:,} of them new; {document['dataset']} "
        f"is at revision {document['revision']}.",
        markup=False,
        highlight=False,
    )
    if document["orphans"]:
        named = ", ".join(document["orphans"][:MOST_ORPHANS])
        out.print(
            f"{len(document['orphans']):,} of the examples are not in the run's data ({named}); "
            "the ledger keeps them, nothing applies them.",
            markup=False,
            highlight=False,
        )


def show_rescored(document: Mapping[str, Any]) -> None:
    """Print each run's rank and errors before and after."""
    from rich.text import Text

    from gapwise.diagnostics.words import of_rung

    out = console()
    rungs = list(dict.fromkeys(r["rung"] for run in document["runs"] for r in run["after"]))
    table = grid("Rank", "Run", *(of_rung(rung) for rung in rungs))
    for run in document["runs"][:MOST_RUNS]:
        pairs = {
            after["rung"]: (before, after)
            for before, after in zip(run["before"], run["after"], strict=True)
        }
        cells = [_cell(*pairs[rung]) if rung in pairs else "" for rung in rungs]
        table.add_row(f"{run['rank_before']} → {run['rank_after']}", Text(run["name"]), *cells)
    out.print(table)
    if len(document["runs"]) > MOST_RUNS:
        out.print(f"… and {len(document['runs']) - MOST_RUNS:,} more, with --json.")
    for sentence in (document["says"], document["warns"]):
        if sentence:
            out.print(sentence, markup=False, highlight=False)


def _cell(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    ends = ""
    if after["low"] is not None:
        ends = f" ({100 * after['low']:.1f}–{100 * after['high']:.1f})"
    now = f"{100 * after['error']:.1f} %{ends}"
    same = before["error"] == after["error"]
    return now if same else f"{100 * before['error']:.1f} → {now}"
