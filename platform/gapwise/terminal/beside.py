"""What stands beside a ladder: a ladder a label, or errors in the target's own unit."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gapwise.errors import shown
from gapwise.terminal.out import grid, percent

if TYPE_CHECKING:
    from rich.console import Console

SPLITS = ("train", "train_dev", "dev", "test")


def show(out: "Console", document: Mapping[str, Any]) -> None:
    """Print what a diagnosis says beside its ladder, where it says anything."""
    if document.get("labels"):
        _labels(out, document["labels"])
    if document.get("real_units"):
        _real_units(out, document["real_units"])


def _labels(out: "Console", labels: Mapping[str, Mapping[str, Any]]) -> None:
    present = [s for s in SPLITS if any(_rung(one, s) for one in labels.values())]
    table = grid("Label", *(split.replace("_", "-") for split in present), "Largest gap")
    for name, one in labels.items():
        verdict = one["verdict"].replace("_", " ")
        table.add_row(_text(name), *(_error(_rung(one, split)) for split in present), verdict)
    out.print(table)


def _rung(document: Mapping[str, Any], split: str) -> Mapping[str, Any] | None:
    return next((rung for rung in document["ladder"] if rung["rung"] == split), None)


def _error(rung: Mapping[str, Any] | None) -> str:
    return "–" if rung is None else f"{percent(rung['error'])} of {rung['n']:,}"


def _real_units(out: "Console", found: Mapping[str, Any]) -> None:
    unit = f", {found['unit']}" if found["unit"] else ""
    table = grid(_text(f"{found['name']}{unit}"), "MAE", "Median", "RMSE", "Bias", "R²")
    for split in SPLITS:
        if split in found["splits"]:
            one = found["splits"][split]
            cells = [_number(one[key]) for key in ("mae", "median", "rmse")]
            bias = ("+" if one["bias"] > 0 else "") + _number(one["bias"])
            table.add_row(split.replace("_", "-"), *cells, bias, _share(one["r2"]))
    out.print(table)


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _text(name: str) -> str:
    from rich.markup import escape

    return escape(shown(name, 40))
