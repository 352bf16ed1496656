"""What people read on a terminal; answers go to stdout, everything else to stderr."""

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gapwise import terminal_matched, terminal_pictures
from gapwise.errors import GapwiseError, QuarantineError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHOWN_STEPS = 5

COLOURS = {
    "bias": "blue",
    "avoidable_bias": "blue",
    "variance": "yellow",
    "data_mismatch": "red",
    "dev_overfit": "magenta",
}


def give(result: Any, as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    """Print ``result``: one JSON document, or the table that ``show`` makes of it."""
    document = result.as_json() if hasattr(result, "as_json") else result
    if as_json:
        sys.stdout.write(json.dumps(document, allow_nan=False, ensure_ascii=False) + "\n")
    else:
        show(document)


def say(sentence: str) -> None:
    """Print one line for people on stderr."""
    sys.stderr.write(sentence + "\n")


def refuse(error: Exception, exit_code: int) -> int:
    """Print an error as one sentence (with its traceback under ``--debug``); return its code."""
    if os.environ.get("GAPWISE_DEBUG"):
        traceback.print_exception(error)
    sentence = " ".join(str(error).split())
    if not isinstance(error, GapwiseError | OSError):
        sentence = (
            f"unexpected {type(error).__name__}: {sentence}; this is a fault of Gapwise: run "
            "`gapwise --debug …` and report what it prints"
        )
    say(f"gapwise: {sentence}")
    return exit_code


def usage(error: Exception) -> None:
    """Print what is wrong with a command line and where its help is."""
    message = getattr(error, "format_message", error.__str__)()
    say(f"gapwise: {message} See `gapwise --help`.")


def check_strict(strict: bool, quarantined: int) -> None:
    """Raise if examples were quarantined and ``--strict`` was asked for.

    Raises:
        QuarantineError: with the count.
    """
    say_quarantined(quarantined)
    if strict and quarantined:
        raise QuarantineError(
            f"done, but {quarantined} bad examples were set aside and --strict was asked for; "
            "their reasons stand in the run's quarantine.jsonl"
        )


def say_quarantined(count: int, where: str = "the run's quarantine.jsonl") -> None:
    """Say how many examples were set aside, if any, and where their reasons stand."""
    if count:
        say(f"{count} bad examples were set aside; their reasons stand in {where}.")


def percent(value: float | None, digits: int = 1) -> str:
    """Return a fraction as per cent; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def interval(low: float | None, high: float | None) -> str:
    """Return a 95 % interval in per cent; says so where there is none."""
    if low is None or high is None:
        return "no interval"
    return f"{100 * low:.1f} – {100 * high:.1f}"


def points(gap: Mapping[str, Any]) -> str:
    """Return a gap in points with its interval."""
    text = f"{100 * gap['gap']:+.1f}"
    if gap["low"] is None:
        return text
    return f"{text} ({100 * gap['low']:.1f} … {100 * gap['high']:.1f})"


def diagnosis(document: Mapping[str, Any]) -> None:
    """Print ladder, verdict, what to do next and whatever else was found."""
    out = _console()
    gaps = {gap["name"]: gap for gap in document["gaps"]}
    out.print(_ladder(document["ladder"], list(gaps.values())))
    terminal_matched.show(out, document.get("table", ()))
    _verdict(out, document, gaps)
    _next_steps(out, document)
    others = [f["says"] for f in document["findings"] if f["diagnostic"] != "verdict"]
    if others:
        out.print("\n[bold]What else was found[/]")
    for says in others:
        _hanging(out, "  ·", says)


def trained(document: Mapping[str, Any]) -> None:
    """Print what a training gave, and its diagnosis."""
    diagnosis(document["diagnosis"])
    out = _console()
    out.print(
        f"\nRun {document['run_id']} ({document['name']}): {document['seconds']:.1f} s, "
        f"{document['examples_per_second']:,.0f} examples/s.",
        markup=False,
        highlight=False,
    )


def comparison(document: Mapping[str, Any]) -> None:
    """Print which of two runs is better, how sure that is, and what flipped."""
    out = _console()
    low, high = document["low"], document["high"]
    bounds = "no interval" if low is None else f"{100 * low:.2f} … {100 * high:.2f}"
    out.print(
        f"{document['split']}, {document['n_shared']:,} shared examples: error(A) − error(B) = "
        f"{100 * document['difference']:+.2f} points ({bounds}), p = {document['p_value']:.3g} "
        f"({document['test']}).",
        highlight=False,
    )
    out.print(
        f"B fixes {document['fixed']} examples that A gets wrong, and breaks {document['broken']}.",
        highlight=False,
    )
    verdicts = {"a": "A has the lower error.", "b": "B has the lower error."}
    out.print(verdicts.get(document["verdict"], "Undecided: chance alone could do this."))
    for key, (before, after) in document["knobs_changed"].items():
        out.print(f"  {key}: {before} → {after}", markup=False, highlight=False)
    if document["credit"]:
        out.print(f"  {document['credit']}.", markup=False)


def data_report(document: Mapping[str, Any]) -> None:
    """Print what the data holds before anything trains."""
    from rich.markup import escape

    out = _console()
    for line in document["lines"]:
        out.print(line, markup=False, highlight=False)
    for table in document["tables"]:
        # Names that stand in data are text: a "[red]" among them is no markup.
        out.print(f"\n[bold]{escape(table['title'])}[/]", highlight=False)
        shown = _table(*map(escape, table["columns"]))
        for row in table["rows"]:
            shown.add_row(*(escape(str(cell)) for cell in row))
        out.print(shown)
    if document.get("samples"):
        terminal_pictures.show(out, document["samples"])


def split_report(document: Mapping[str, Any]) -> None:
    """Print the split and what its sizes can tell apart."""
    data_report(document)


def recorded(document: Mapping[str, Any]) -> None:
    """Print the id of a recorded run and what to do with it."""
    _console().print(f"{document['run_id']}", highlight=False)
    say(f"Next: gapwise diagnose {document['run_id']}")


def predicted(document: Mapping[str, Any]) -> None:
    """Print where the predictions of new examples went."""
    say(f"Wrote {document['n']} predictions to {document['file']}.")


def exported(document: Mapping[str, Any]) -> None:
    """Print where a network went, and how equal its outputs are."""
    difference = document["largest_difference"]
    say(f"Wrote {document['file']}; largest difference of outputs: {difference:.2g}.")


def doctor(document: Mapping[str, Any]) -> None:
    """Print each check with its result."""
    table = _table("Check", "Result")
    for check in document["checks"]:
        mark = "ok" if check["ok"] else "PROBLEM"
        table.add_row(check["name"], f"{mark}: {check['says']}")
    _console().print(table)


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
    knobs = [knob for finding in document["findings"] for knob in finding["knobs"]]
    if not knobs:
        return
    out.print("\n[bold]What to do next[/]")
    for number, knob in enumerate(knobs[:SHOWN_STEPS], 1):
        most = "" if knob["at_most"] is None else f" (at most {100 * knob['at_most']:.1f} points)"
        _hanging(out, f"  {number}.", f"{knob['name']}{most}. {knob['why']}")
        if knob["command"]:
            out.print(f"     [green]$ {knob['command']}[/]", soft_wrap=True, highlight=False)
    if len(knobs) > SHOWN_STEPS:
        out.print(f"  … and {len(knobs) - SHOWN_STEPS} more, on the dashboard and with --json.")


def _hanging(out: "Console", mark: str, text: str) -> None:
    """Print ``text`` behind ``mark``, its further lines indented as far."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=(0, 1))
    row.add_row(Text(mark), Text(text))
    out.print(Padding(row, 0))


def _ladder(rungs: list[Mapping[str, Any]], gaps: list[Mapping[str, Any]]) -> "Table":
    table = _table("Rung", "Error", "95 %", "n", "Gap", "Points")
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


def _table(*columns: str, title: str | None = None) -> "Table":
    from rich import box
    from rich.table import Table

    return Table(
        *columns,
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE,
        collapse_padding=True,
        pad_edge=False,
    )


def _console() -> "Console":
    from rich.console import Console

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")

    class Out(Console):
        def on_broken_pipe(self) -> None:
            # rich would exit with 1; a reader that has gone (`| head`) is no failure
            raise BrokenPipeError

    return Out(file=sys.stdout)
