"""Examples whose label is probably wrong."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.suspects import show_suspects


def suspects(
    run: RunRef,
    split: Annotated[
        list[str] | None, typer.Option(help="Split; repeatable; default: all. Test is counted.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="How many; default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the examples whose label is probably wrong, the most suspect first."""
    from gapwise.workflows.suspects import suspects as rank

    out.give(rank(run, tuple(split or ()), limit), as_json, show_suspects)


COMMANDS = (suspects,)
