"""What data holds and how it splits."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal import pictures
from gapwise.terminal.out import console, grid


def show_data_report(document: Mapping[str, Any]) -> None:
    """Print what the data holds before anything trains."""
    from rich.markup import escape

    out = console()
    for line in document["lines"]:
        out.print(line, markup=False, highlight=False)
    for table in document["tables"]:
        # Names that stand in data are text: a "[red]" among them is no markup.
        out.print(f"\n[bold]{escape(table['title'])}[/]", highlight=False)
        shown = grid(*map(escape, table["columns"]))
        for row in table["rows"]:
            shown.add_row(*(escape(str(cell)) for cell in row))
        out.print(shown)
    if document.get("samples"):
        pictures.show(out, document["samples"])
    if document.get("augmented"):
        out.print("[bold]As training.augmentation shows them to the network[/]", highlight=False)
        pictures.show(out, document["augmented"])


def show_split_report(document: Mapping[str, Any]) -> None:
    """Print the split and what its sizes can tell apart."""
    show_data_report(document)
