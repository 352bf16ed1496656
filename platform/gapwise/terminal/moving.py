"""What a backup holds, what a move brought, and which runs go by a rule."""

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


def show_retired(document: Mapping[str, Any]) -> None:
    """Print what goes or would go, and what stays and why."""
    table = grid("Run", "Experiment", "Ended, days ago", "MiB", "")
    for one in document["runs"]:
        goes = "[bold]gone[/bold]" if document["applied"] else "[bold]goes[/bold]"
        days, size = f"{one['days']:,.1f}", f"{one['size'] / _MIB:,.1f}"
        table.add_row(one["name"], one["experiment"], days, size, one["kept"] or goes)
    console().print(table)
    count = sum(not one["kept"] for one in document["runs"])
    freed = f"{document['bytes'] / _MIB:,.1f} MiB"
    if document["applied"]:
        console().print(f"{len(document['gone'])} runs are gone; {freed} are free.")
    else:
        console().print(f"{count} runs would go, which frees {freed}; --apply lets them go.")


def show_pin(document: Mapping[str, Any]) -> None:
    """Print whether a run is pinned now."""
    how = "is pinned: no rule retires it" if document["pinned"] else "is pinned no more"
    console().print(f"{document['name']} {how}.")


def _left(document: Mapping[str, Any]) -> None:
    if document["left"]:
        console().print(
            f"{document['left']:,} runs stay behind: they are being written on other machines; "
            "call it again when they have ended."
        )
