"""What a gradient check found."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid

COLOURS = {"fine": "green", "look": "yellow", "wrong": "red", "unchecked": "red"}


def show_gradcheck(document: Mapping[str, Any]) -> None:
    """Print a row for each parameter, then where the fault lies."""
    table = grid("Parameter", "Shape", "Checked", "Kinks", "Difference", "Verdict")
    for row in document["parameters"]:
        verdict = row["verdict"]
        table.add_row(
            row["name"],
            "×".join(map(str, row["shape"])),
            f"{row['checked']:,}",
            f"{row['kinks']:,}",
            _difference(row["difference"]),
            f"[{COLOURS[verdict]}]{verdict}[/]",
        )
    screen = console()
    screen.print(table)
    screen.print(
        f"Step {document['epsilon']:g} in float64, {document['examples']} examples, cost "
        f"{document['cost']:.6g}, λ {document['l2']:g}. Below {document['fine']:g} is fine, above "
        f"{document['wrong']:g} is wrong.",
        highlight=False,
    )
    for layer in document["layers"]:
        screen.print(
            f"[red]Wrong by itself:[/] layer {layer['name']} ({layer['kind']}), by its "
            f"{layer['of']}: {_difference(layer['difference'])}.",
            highlight=False,
        )
    if any(row["verdict"] == "unchecked" for row in document["parameters"]):
        screen.print(
            "Unchecked: every coordinate tried has a kink within the step; check with "
            "network.activation=tanh.",
            highlight=False,
        )


def _difference(value: float | None) -> str:
    return "no number" if value is None else f"{value:.1e}"
