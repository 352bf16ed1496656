"""The checks of the stores."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid


def show_doctor(document: Mapping[str, Any]) -> None:
    """Print each check with its result."""
    table = grid("Check", "Result")
    for check in document["checks"]:
        mark = "ok" if check["ok"] else "PROBLEM"
        table.add_row(check["name"], f"{mark}: {check['says']}")
    console().print(table)
