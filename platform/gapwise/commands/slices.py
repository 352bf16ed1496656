"""Where in a split the errors are."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.slices import show_slices


def slices(
    run: RunRef,
    split: Annotated[str, typer.Option(help="Split; a look at test is counted.")] = "dev",
    named: Annotated[
        list[str] | None,
        typer.Option("--slice", help="A slice to test, 'COLUMN=VALUE & …'; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the error by metadata and picture properties, and the slices that are weak."""
    from gapwise.workflows.slices import slice_run

    out.give(slice_run(run, split, tuple(named or ())), as_json, show_slices)


COMMANDS = (slices,)
