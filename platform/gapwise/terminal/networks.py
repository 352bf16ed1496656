"""Networks: their sizes and costs, and one of them layer by layer."""

from collections.abc import Mapping, Sequence
from typing import Any

from gapwise.terminal.out import console, grid


def show_networks(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a row a size; one that came with its layers, layer by layer."""
    if len(rows) == 1 and "layers" in rows[0]:
        _show_layers(rows[0])
        return
    table = _right(grid("Name", "Input", "Units", "Parameters", "MACs", "Notes"), 2, 3, 4)
    for row in rows:
        numbers = (f"{row[key]:,}" for key in ("outputs", "parameters", "macs"))
        table.add_row(row["name"], _shape(row["input"]), *numbers, row["notes"])
    console().print(table)


def _show_layers(row: Mapping[str, Any]) -> None:
    out = console()
    for line in (row["says"], *_facts(row)):
        out.print(line, markup=False, highlight=False)
    table = _right(grid("Layer", "Kind", "Output", "Parameters", "MACs", "Sees"), 3, 4)
    for layer in row["layers"]:
        table.add_row(
            layer["name"],
            layer["kind"],
            _shape(layer["output"]) or "in training",
            f"{layer['parameters']:,}",
            f"{layer['macs']:,}",
            _sees(layer["receptive_field"]),
        )
    table.add_section()
    table.add_row("total", "", "", f"{row['parameters']:,}", f"{row['macs']:,}", "")
    out.print(table)
    out.print(
        "MACs: multiply-accumulates of one example's forward pass. Sees: pixels of the image that "
        "a position of the layer's map depends on, and how far apart two neighbours look.",
        highlight=False,
    )


def _facts(row: Mapping[str, Any]) -> list[str]:
    options = ", ".join(f"{key}: {value}" for key, value in row["options"].items())
    return [
        f"{row['name']}: network {row['network']}" + (f" with {options}" if options else ""),
        f"Input {_shape(row['input'])}, {row['outputs']} outputs, notes {row['notes']}",
    ]


def _sees(field: Mapping[str, Sequence[float]] | None) -> str:
    if field is None:
        return ""
    stride = _shape(sorted(set(field["stride"])))
    return _shape(field["size"]) + ("" if stride == "1" else f" every {stride}")


def _shape(sizes: Sequence[float]) -> str:
    return "×".join(f"{size:g}" for size in sizes)


def _right(table: Any, *columns: int) -> Any:
    for column in columns:
        table.columns[column].justify = "right"
    return table
