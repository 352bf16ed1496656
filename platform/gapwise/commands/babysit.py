"""Babysit one model: from rung to rung, its knobs turned by hand."""

import sys
from typing import Annotated

import typer

from gapwise.commands.options import AsJson
from gapwise.terminal import out
from gapwise.terminal.babysit import ask, show_sitting


def babysit(
    run: Annotated[str, typer.Argument(help="A run that was stopped, or a pipeline to begin.")],
    changes: Annotated[
        list[str] | None, typer.Argument(help="Knobs to turn: dotted.key=value.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs until the next pause; else the next rung.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train one run from rung to rung, its knobs turned by hand between; on a terminal, ask."""
    from gapwise.workflows.babysit import babysit as sit

    turned = changes or []
    while True:
        sitting = sit(run, turned, epochs=epochs)
        run = sitting.run_id
        out.give(sitting, as_json, show_sitting)
        if sitting.over or as_json or not sys.stdin.isatty():
            return
        answer = ask()
        if answer is None:
            return
        turned = answer


COMMANDS = (babysit,)
