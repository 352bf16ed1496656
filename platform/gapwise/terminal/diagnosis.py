"""Ladder, verdict and what to do next."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gapwise.terminal import beside, matched
from gapwise.terminal.out import console, grid, hanging, interval, percent, points

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHOWN_STEPS = 5
MOST_PARTS = 30

COLOURS = {
    "bias": "blue",
    "avoidable_bias": "blue",
    "variance": "yellow",
    "data_mismatch": "red",
    "dev_overfit": "magenta",
    "field": "green",
}


def show_diagnosis(document: Mapping[str, Any]) -> None:
    """Print ladder, verdict, what to do next and whatever else was found."""
    from gapwise.records import DATA_FAULT

    out = console()
    gaps = {gap["name"]: gap for gap in document["gaps"]}
    out.print(_ladder(document["ladder"], list(gaps.values())))
    matched.show(out, document.get("table", ()))
    beside.show(out, document)
    _levels(out, document.get("human_levels", ()))
    for column, rows in document.get("by", {}).items():
        out.print(_parted(column, rows))
    for fault in document["findings"]:
        if fault["severity"] >= DATA_FAULT:
            out.print("\n[bold red]First mend the data[/]")
            hanging(out, "  ·", fault["says"])
    _verdict(out, document, gaps)
    _next_steps(out, document)
    others = [
        f["says"]
        for f in document["findings"]
        if f["diagnostic"] != "verdict" and f["severity"] < DATA_FAULT
    ]
    if others:
        out.print("\n[bold]What else was found[/]")
    for says in others:
        hanging(out, "  ·", says)


def show_trained(document: Mapping[str, Any]) -> None:
    """Print what a training gave, and its diagnosis."""
    show_diagnosis(document["diagnosis"])
    out = console()
    out.print(
        f"\nRun {document['run_id']} ({document['name']}): {document['seconds']:.1f} s, "
        f"{document['examples_per_second']:,.0f} examples/s.",
        markup=False,
        highlight=False,
    )


def show_bayes(document: Mapping[str, Any]) -> None:
    """Print a sentence an estimate."""
    for says in document["says"]:
        console().print(says, markup=False, highlight=False)


def _levels(out: "Console", levels: Sequence[Mapping[str, Any]]) -> None:
    """Print the human levels where there is more than the ladder's own rung to see."""
    if len(levels) < 2:
        return
    table = grid("Human level", "Error", "95 %", "n", "On", "Source")
    for level in levels:
        mark = " ←" if level["is_proxy"] else ""
        table.add_row(
            f"{level['name'] or '–'}{mark}",
            percent(level["error"]),
            interval(level["low"], level["high"]),
            "" if level["n"] is None else f"{level['n']:,}",
            level["distribution"],
            level["source"],
        )
    out.print(table)


def _parted(column: str, rows: Sequence[Mapping[str, Any]]) -> "Table":
    """Return the ladders of a column's values, one a line."""
    rungs = [rung["rung"] for rung in rows[0]["ladder"]] if rows else []
    table = grid(column.capitalize(), *(name.replace("_", "-") for name in rungs))
    for row in rows[:MOST_PARTS]:
        table.add_row(row["part"], *(_cell(rung) for rung in row["ladder"]))
    return table


def _cell(rung: Mapping[str, Any]) -> str:
    if not rung["n"]:
        return "undefined"
    ends = "" if rung["low"] is None else f" ({interval(rung['low'], rung['high'])})"
    few = f", n = {rung['n']}" if rung["why"].startswith("only") else ""
    return f"{percent(rung['error'])}{ends}{few}"


def _verdict(out: "Console", document: Mapping[str, Any], gaps: Mapping[str, Any]) -> None:
    verdict = document["verdict"]
    if verdict in gaps:
        gap = gaps[verdict]
        colour = COLOURS.get(verdict.split("+")[-1], "bold")
        name = verdict.replace("_", " ").replace("+", " and ").capitalize()
        verb = "together are" if "+" in verdict else "is"
        out.print(
            f"\n[bold {colour}]{name}[/] {verb} the largest gap: {points(gap)} points "
            f"(P = {gap['probability_largest']:.3f}).",
            highlight=False,
        )
    elif verdict == "none":
        out.print("\n[bold green]No gap is high.[/]")
    else:
        needs = document.get("needs")
        more = f"; {_needed(needs)}" if needs else ""
        out.print(f"\n[bold]Undecided[/]{more}.", highlight=False)


def _needed(needs: Mapping[str, Any]) -> str:
    if needs["n"] is None:
        return str(needs["why"])
    if needs["rung"] == "human":
        return f"about {needs['n']:,} examples answered by people would decide"
    return f"about {needs['n']:,} examples in {needs['rung'].replace('_', '-')} would decide"


def _next_steps(out: "Console", document: Mapping[str, Any]) -> None:
    found = [knob for finding in document["findings"] for knob in finding["knobs"]]
    knobs = list({knob["name"]: knob for knob in found[::-1]}.values())[::-1]
    if not knobs:
        return
    out.print("\n[bold]What to do next[/]")
    for number, knob in enumerate(knobs[:SHOWN_STEPS], 1):
        most = "" if knob["at_most"] is None else f" (at most {100 * knob['at_most']:.1f} points)"
        hanging(out, f"  {number}.", f"{knob['name']}{most}. {knob['why']}")
        if knob["command"]:
            out.print(f"     [green]$ {knob['command']}[/]", soft_wrap=True, highlight=False)
    if len(knobs) > SHOWN_STEPS:
        out.print(f"  … and {len(knobs) - SHOWN_STEPS} more, on the dashboard and with --json.")


def _ladder(rungs: list[Mapping[str, Any]], gaps: list[Mapping[str, Any]]) -> "Table":
    table = grid("Rung", "Error", "95 %", "n", "Gap", "Points")
    # The gap that ends at a rung stands on that rung's line; the first rung ends one only when
    # nobody measured a human level.
    offset = len(rungs) - len(gaps)
    for index, rung in enumerate(rungs):
        gap = gaps[index - offset] if index >= offset else None
        colour = COLOURS.get(gap["name"].split("+")[-1], "white") if gap else "white"
        table.add_row(
            rung["rung"].replace("_", "-"),
            percent(rung["error"]),
            interval(rung["low"], rung["high"]),
            "" if rung["n"] is None else f"{rung['n']:,}",
            f"[{colour}]{gap['name'].replace('_', ' ')}[/]" if gap else "",
            f"[{colour}]{points(gap)}[/]" if gap else "",
        )
    return table
