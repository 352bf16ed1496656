"""How a babysat training stands: its last epochs, what was turned, and what to do now."""

from collections.abc import Mapping
from typing import Any

from gapwise.terminal.out import console, grid, percent, say

SHOWN = 12
"""Epochs shown, at most."""


def show_sitting(document: Mapping[str, Any]) -> None:
    """Print the last epochs, the changes, and how to go on."""
    out = console()
    table = grid("Epoch", "Train loss", "Train error", "Dev error", "Turned")
    turned: dict[int, list[str]] = {}
    for change in document["changes"]:
        turned.setdefault(change["epoch"] + 1, []).append(f"{change['key']}={change['after']}")
    first = max(0, len(document["history"]) - SHOWN)
    for epoch, metrics in enumerate(document["history"][first:], first + 1):
        table.add_row(
            str(epoch),
            f"{metrics['train_loss']:.4f}",
            percent(metrics["train_error"]),
            percent(metrics["dev_error"]),
            ", ".join(turned.get(epoch, ())),
        )
    out.print(table)
    run = document["run_id"][:10]
    if document["over"]:
        out.print(f"Trained to the end. Diagnose it: gapwise diagnose {run}", highlight=False)
    else:
        out.print(
            f"Paused after epoch {document['epoch']} of {document['epochs']}. To go on: "
            f"gapwise babysit {run} training.optimizer.lr=…",
            markup=False,
            highlight=False,
        )


def ask() -> list[str] | None:
    """Return the knobs to turn, none to go on as it is; None to leave it paused."""
    say("Turn a knob as key=value (several with spaces), Enter to go on, q to leave it paused:")
    try:
        answer = input("> ").strip()
    except EOFError:
        return None
    return None if answer == "q" else answer.split()
