"""Where lines go, how figures are written, and what every command says the same way."""

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gapwise.errors import GapwiseError, QuarantineError, redacted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def give(result: Any, as_json: bool, show: Callable[[Any], None]) -> None:
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
        sys.stderr.write(redacted("".join(traceback.format_exception(error))))
    sentence = " ".join(str(error).split())
    if not isinstance(error, GapwiseError | OSError):
        sentence = (
            f"unexpected {type(error).__name__}: {sentence}; this is a fault of Gapwise: run "
            "`gapwise --debug …` and report what it prints"
        )
    say(f"gapwise: {redacted(sentence)}")
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


def hanging(out: "Console", mark: str, text: str) -> None:
    """Print ``text`` behind ``mark``, its further lines indented as far."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=(0, 1))
    row.add_row(Text(mark), Text(text))
    out.print(Padding(row, 0))


def grid(*columns: str, title: str | None = None) -> "Table":
    """Return an empty table of the house's form."""
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


def console() -> "Console":
    """Return a console on stdout that replaces what the terminal cannot show."""
    from rich.console import Console

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")

    class Out(Console):
        def on_broken_pipe(self) -> None:
            # rich would exit with 1; a reader that has gone (`| head`) is no failure
            raise BrokenPipeError

    return Out(file=sys.stdout)
