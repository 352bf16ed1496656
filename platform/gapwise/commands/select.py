"""Which run to take."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson
from gapwise.terminal import out
from gapwise.terminal.selection import show_selection


def select(  # noqa: PLR0913 - one option each
    experiment: Annotated[
        str | None, typer.Argument(help="Experiment; default: the latest run's.")
    ] = None,
    optimize: Annotated[
        str, typer.Option(help="Metric to optimize; min: or max: before it where unclear.")
    ] = "error",
    limit: Annotated[
        list[str] | None, typer.Option(help="A limit, 'METRIC<=NUMBER'; repeatable.")
    ] = None,
    split: Annotated[str, typer.Option(help="Split; a look at test is counted.")] = "dev",
    weigh: Annotated[
        list[str] | None,
        typer.Option(
            help="For weighted_error: 'TRUE->PREDICTED=10' or 'COLUMN:VALUE=10'; repeatable."
        ),
    ] = None,
    batch: Annotated[int, typer.Option(help="Examples a forward pass, for latency.")] = 1,
    device: Annotated[str, typer.Option(help="Where latency is measured.")] = "cpu",
    threads: Annotated[
        int | None, typer.Option(help="Threads for latency; default: the cores at hand.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Measure costs that are known, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take the best run by one metric among those that keep limits on others."""
    from gapwise.workflows.costs import CostRequest
    from gapwise.workflows.measuring import usable_cores
    from gapwise.workflows.select import SelectRequest, select_run

    request = SelectRequest(
        experiment=experiment,
        optimize=optimize,
        limits=tuple(limit or ()),
        split=split,
        weigh=tuple(weigh or ()),
        costs=CostRequest(
            batch=batch,
            device=device,
            threads=usable_cores() if threads is None else threads,
            again=again,
        ),
    )
    out.give(select_run(request), as_json, show_selection)


COMMANDS = (select,)
