"""What each step of a system can gain."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gapwise.errors import shown
from gapwise.terminal.out import console, grid, hanging, interval, percent, points

if TYPE_CHECKING:
    from rich.table import Table


def show_ceiling(document: Mapping[str, Any]) -> None:
    """Print the end error under each setting, each step's gain, whose fault it is, and advice."""
    out = console()
    out.print(_settings(document))
    if document["gains"]:
        out.print(_gains(document))
    if document["blame"]:
        out.print(_blame(document))
    first, *others = document["says"]
    out.print(_text(first), soft_wrap=True, style="bold")
    for says in others:
        hanging(out, "  ·", says)


def _settings(document: Mapping[str, Any]) -> "Table":
    table = grid("Perfect", "End error", "95 %", "n")
    for setting in document["settings"]:
        name = " + ".join(setting["perfect"]) or "nothing: the system as it is"
        bounds = interval(setting["low"], setting["high"])
        table.add_row(_text(shown(name)), percent(setting["error"]), bounds, f"{setting['n']:,}")
    return table


def _gains(document: Mapping[str, Any]) -> "Table":
    table = grid("Step", "Can gain, points", "p")
    for gain in document["gains"]:
        note = " (taken to be all that is left)" if gain["implied"] else ""
        p_value = "" if gain["implied"] else f"{gain['p_value']:.2g}"
        table.add_row(
            _text(shown(gain["step"])), points({**gain, "gap": gain["gain"]}) + note, p_value
        )
    return table


def _blame(document: Mapping[str, Any]) -> "Table":
    table = grid("First wrong step", "End errors", "Share", "Of all examples", "Harmless")
    for one in document["blame"]:
        bounds = interval(one["low"], one["high"])
        size = f"{percent(one['points'])} ({bounds})"
        cells = (f"{one['count']:,}", percent(one["share"]), size, f"{one['forgiven']:,}")
        table.add_row(_text(shown(one["step"])), *cells)
    return table


def _text(text: str) -> Any:
    from rich.text import Text

    return Text(text)
