"""Search a pipeline's hyperparameters, coarse to fine."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, Overrides, PipelineName, Workers
from gapwise.terminal import out
from gapwise.terminal.search import show_search


def search(
    pipeline: PipelineName,
    overrides: Overrides = None,
    workers: Workers = "",
    again: Annotated[
        bool, typer.Option(help="Test the best settings of the latest search anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Search hyperparameters from coarse to fine and confirm the winner; called again, go on.

    Trials run in one process a core, or a GPU, where --workers says nothing else.
    """
    from gapwise.workflows.search import SearchRequest
    from gapwise.workflows.search import search as run

    request = SearchRequest(name=pipeline, overrides=overrides or (), workers=workers, again=again)
    out.give(run(request), as_json, show_search)


COMMANDS = (search,)
