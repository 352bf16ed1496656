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


def two_step(
    find: Annotated[str, typer.Argument(help="A run whose labels are boxes.")],
    read: Annotated[str, typer.Argument(help="A run that tells classes from crops.")],
    against: Annotated[
        str | None, typer.Option(help="A run that tells the class from the whole picture.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Join a finder and a reader: what each step can gain, and whether one network does better."""
    from gapwise.terminal.two_steps import show_two_steps
    from gapwise.workflows.two_steps import two_steps

    out.give(two_steps(find, read, against=against), as_json, show_two_steps)


COMMANDS = (ceiling, two_step)
