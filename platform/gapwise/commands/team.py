"""Who may do what on a dashboard with sign-in."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson
from gapwise.terminal import out
from gapwise.terminal.checks import show_team


def team(
    person: Annotated[str | None, typer.Argument(help="An e-mail address.")] = None,
    role: Annotated[
        str | None, typer.Argument(help="viewer, tagger, lead, or none to take it away.")
    ] = None,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Make the ledger's tables first, as their owner.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show who may view, tag or lead on a dashboard with sign-in, or give somebody a role."""
    from gapwise.workflows.team import people

    out.give(people(person, role, prepares=prepare), as_json, show_team)


COMMANDS = (team,)
