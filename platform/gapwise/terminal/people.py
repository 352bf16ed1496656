"""People on a terminal: what a verifier is worth, who is enrolled, whom a picture shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from gapwise.errors import shown
from gapwise.terminal.out import console, grid, interval, percent, say

ROWS = {
    "auroc": "AUROC",
    "false_accepts": "false accepts",
    "false_rejects": "false rejects",
    "one_shot": "one-shot, 5 people",
    "recognised": "recognised, 1:K",
    "strangers_named": "strangers named",
}


def show_verified(document: Mapping[str, Any]) -> None:
    """Print what was measured, a column a split."""
    splits = document["splits"]
    table = grid("", *(split["split"].replace("_", "-") for split in splits))
    table.add_row("people", *(str(split["people"]) for split in splits))
    table.add_row("pairs, of one / of two", *(f"{a:,} / {b:,}" for a, b in _pairs(splits)))
    for key, name in ROWS.items():
        table.add_row(name, *(_cell(split[key]) for split in splits))
    to = console()
    to.print(table)
    to.print(
        f"Two pictures are held for one person up to a distance of {document['threshold']:.3f}, "
        "chosen on dev. Intervals (95 %) are by person."
    )


def show_enrolled(document: Mapping[str, Any]) -> None:
    """Print who is in the gallery."""
    people = document["people"]
    told = ", ".join(f"{shown(name, 40)} ({count})" for name, count in people.items())
    say(f"{len(people)} people are enrolled with run {document['run'][:12]}: {told or 'nobody'}.")


def show_recognised(found: Sequence[Mapping[str, Any]]) -> None:
    """Print whom each picture shows."""
    table = grid("picture", "who", "distance", "at most", "nearest")
    for one in found:
        near = ", ".join(f"{shown(name, 20)} {distance:.2f}" for name, distance in one["nearest"])
        who = shown(one["name"], 40) or "unknown"
        cells = (f"{one['distance']:.3f}", f"{one['threshold']:.3f}", near)
        table.add_row(shown(one["picture"], 50), who, *cells)
    console().print(table)


def _pairs(splits: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    return [tuple(split["pairs"]) for split in splits]


def _cell(measured: Mapping[str, Any] | None) -> str:
    if measured is None:
        return "–"
    value, between = percent(measured["value"]), measured["interval"]
    return value if between is None else f"{value}  ({interval(between['low'], between['high'])})"
