"""How a run does in use."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.diagnosis import show_diagnosis


def field(
    run: RunRef,
    error: Annotated[float, typer.Option(help="Share of the answers in use that were wrong.")],
    n: Annotated[int, typer.Option(help="Answers in use that somebody judged.")],
    source: Annotated[str, typer.Option(help="Who judged them, and where.")] = "",
    as_json: AsJson = False,
) -> None:
    """Note the error of a run in use; its ladder gets that rung, after dev or test."""
    from gapwise.workflows.field import state_field

    out.give(state_field(run, error, n, source), as_json, show_diagnosis)


COMMANDS = (field,)
