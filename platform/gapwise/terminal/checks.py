"""The checks of the stores, and the people of a team."""

from collections.abc import Mapping, Sequence
from typing import Any

from gapwise.terminal.out import console, grid


def show_doctor(document: Mapping[str, Any]) -> None:
    """Print each check with its result."""
    table = grid("Check", "Result")
    for check in document["checks"]:
        mark = "ok" if check["ok"] else "PROBLEM"
        table.add_row(check["name"], f"{mark}: {check['says']}")
    console().print(table)


def show_team(people: Sequence[Mapping[str, str]]) -> None:
    """Print each person with the role that they hold."""
    if not people:
        console().print("Nobody holds a role yet: gapwise team ann@example.org lead")
        return
    table = grid("Person", "Role")
    for one in people:
        table.add_row(one["person"], one["role"])
    console().print(table)
