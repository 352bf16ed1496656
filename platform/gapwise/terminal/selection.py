"""Which run to take: a table of candidates, then the answer."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid, say

COLOURS = {"feasible": "green", "borderline": "yellow", "infeasible": "red"}
MOST_ROWS = 20


def show_selection(document: Mapping[str, Any]) -> None:
    """Print every candidate with its metrics, then the winner and its ties."""
    from rich.text import Text

    out = console()
    metrics = list(document["candidates"][0]["values"])
    table = grid("Run", *metrics, "Limits", "p against the winner")
    for one in document["candidates"][:MOST_ROWS]:
        mark = " ←" if one["run_id"] == document["winner"] else ""
        p = one["p_value"]
        table.add_row(
            Text(f"{one['name']}{mark}"),
            *(Text(figure(name, one["values"][name])) for name in metrics),
            Text(one["standing"], COLOURS[one["standing"]]),
            "" if p is None else f"{p:.3g}",
        )
    out.print(table)
    more = len(document["candidates"]) - MOST_ROWS
    if more > 0:
        out.print(f"and {more} more: --json lists all.", highlight=False)
    out.print(Text(document["says"]), soft_wrap=True)
    for sentence in _notes(document):
        out.print(Text(sentence), soft_wrap=True)
    for one in document["left_out"]:
        say(f"Left out: run {one['run_id'][:10]}: {one['why']}.")


def figure(name: str, value: Mapping[str, Any]) -> str:
    """Return a metric's value with its interval: a fraction in percent, all else in its unit."""
    from gapwise.diagnostics.measures import measure

    if value["value"] is None:
        return "not known"
    scale, unit = (100, " %") if measure(name).is_fraction else (1, "")
    text = f"{_short(scale * value['value'])}{unit}"
    if value["low"] is None:
        return text
    return f"{text} ({_short(scale * value['low'])} – {_short(scale * value['high'])})"


def _short(value: float) -> str:
    if value == int(value) and abs(value) >= 1000:
        return f"{int(value):,}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.3g}"


def _notes(document: Mapping[str, Any]) -> list[str]:
    wear = document["wear"]
    notes = [wear["says"]] if wear else []
    measured = document["measured"]
    if measured:
        notes.append(
            f"Measured on {measured['device']}, batches of {measured['batch']}, "
            f"{measured['threads']} threads, {measured['passes']} passes after a warm-up."
        )
    whys = [
        (name, one["values"][name]["why"])
        for one in document["candidates"]
        for name in one["values"]
        if one["values"][name]["why"]
    ]
    notes += [f"{name}: {why}." for name, why in dict.fromkeys(whys)][:5]
    return notes
