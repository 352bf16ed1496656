"""What a backup holds, and what a move brought."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid

_MIB = 2**20


def show_backup(document: Mapping[str, Any]) -> None:
    """Print what is in a backup; every file of it holds."""
    table = grid("In the backup", "")
    table.add_row("made", f"{document['made']} by gapwise {document['gapwise']}")
    table.add_row("runs", f"{document['runs']:,}")
    table.add_row("ledger", f"{document['events']:,} events, chain intact")
    table.add_row("searches", f"{document['searches']:,} of {document['search_events']:,} events")
    table.add_row("size", f"{document['bytes'] / _MIB:,.1f} MiB, every file with its digest")
    console().print(table)
    _left(document)


def show_moved(document: Mapping[str, Any]) -> None:
    """Print what came, and what was there already."""
    table = grid("What", "New", "Known already")
    table.add_row("runs", f"{document['runs']:,}", f"{document['known_runs']:,}")
    table.add_row("events of the ledger", f"{document['events']:,}",
                  f"{document['known_events']:,}")  # fmt: skip
    table.add_row(f"events of {document['searches']:,} searches",
                  f"{document['search_events']:,}", "")  # fmt: skip
    console().print(table)
    _left(document)


def _left(document: Mapping[str, Any]) -> None:
    if document["left"]:
        console().print(
            f"{document['left']:,} runs stay behind: MLflow alone has them, without a folder here."
        )
