"""Where a command put what it wrote."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, say


def show_recorded(document: Mapping[str, Any]) -> None:
    """Print the id of a recorded run and what to do with it."""
    console().print(f"{document['run_id']}", highlight=False)
    say(f"Next: gapwise diagnose {document['run_id']}")


def show_predicted(document: Mapping[str, Any]) -> None:
    """Print where the predictions of new examples went."""
    say(f"Wrote {document['n']} predictions to {document['file']}.")


def show_exported(document: Mapping[str, Any]) -> None:
    """Print where a network went, and how equal its outputs are."""
    difference = document["largest_difference"]
    say(f"Wrote {document['file']}; largest difference of outputs: {difference:.2g}.")
