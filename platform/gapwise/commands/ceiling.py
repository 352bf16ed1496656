"""Systems of several steps."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson
from gapwise.terminal import out
from gapwise.terminal.ceiling import show_ceiling


def ceiling(
    source: Annotated[str, typer.Argument(help="A table (CSV, Parquet), or the system's run.")],
    perfect: Annotated[
        list[str] | None,
        typer.Option(help="STEP=RUN or STEP+STEP=RUN: the system with those steps perfect."),
    ] = None,
    steps: Annotated[str, typer.Option(help="The steps in their order, by commas.")] = "",
    split: Annotated[str, typer.Option(help="Split that is judged.")] = "dev",
    as_json: AsJson = False,
) -> None:
    """Say which step of a system to work on: what is left to gain if a step were perfect."""
    from gapwise.workflows.ceiling import CeilingRequest
    from gapwise.workflows.ceiling import ceiling as look

    named = tuple(step.strip() for step in steps.split(",")) if steps else ()
    request = CeilingRequest(source=source, perfect=tuple(perfect or ()), steps=named, split=split)
    out.give(look(request), as_json, show_ceiling)


COMMANDS = (ceiling,)
