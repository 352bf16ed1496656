"""Make one run of several."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson
from gapwise.terminal import out
from gapwise.terminal.ensemble import show_ensemble


def ensemble(
    runs: Annotated[
        list[str], typer.Argument(help="Runs: ids or names; one of a group brings all its seeds.")
    ],
    name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Average the predictions of several runs into a run of its own."""
    from gapwise.workflows.ensemble import ensemble as average

    out.give(average(runs, name=name), as_json, show_ensemble)


COMMANDS = (ensemble,)
