"""Look at the networks that a pipeline may name."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson
from gapwise.terminal import out
from gapwise.terminal.networks import show_networks


def networks(
    name: Annotated[
        str | None, typer.Argument(help="A network, or one of its sizes; without it, all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List networks with their sizes and costs; with a name, that one layer by layer."""
    from gapwise.workflows.network_table import networks_table

    out.give(networks_table(name), as_json, show_networks)


COMMANDS = (networks,)
