"""What the errors are, by the tags that people gave them."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.errors import show_error_table


def errors(
    run: RunRef,
    split: Annotated[str, typer.Option(help="Split; a look at test is counted.")] = "dev",
    sample: Annotated[int, typer.Option(help="Errors in the random sample at least.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what share of the errors each tag holds, and what fixing it gains at most."""
    from gapwise.workflows.error_table import error_table_of

    out.give(error_table_of(run, split, sample), as_json, show_error_table)


COMMANDS = (errors,)
