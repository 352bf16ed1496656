"""Whether the metric in use ranks runs as people do."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.metric import show_metric, show_preference


def prefer(
    better: RunRef,
    worse: RunRef,
    why: Annotated[str, typer.Option(help="Why, in a sentence.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the preference back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Note that people find one run better than another, whatever the metric says."""
    from gapwise.workflows.metric import prefer as note

    out.give(note(better, worse, why, withdraw=withdraw), as_json, show_preference)


def metric(
    experiment: Annotated[
        str | None, typer.Argument(help="Experiment; default: the latest run's.")
    ] = None,
    optimize: Annotated[
        str | None, typer.Option(help="Another metric than error; see docs/select.md.")
    ] = None,
    weigh: Annotated[
        list[str] | None,
        typer.Option(help="'TRUE->PREDICTED=10' or 'COLUMN:VALUE=10'; repeatable."),
    ] = None,
    split: Annotated[str, typer.Option(help="Split, not test.")] = "dev",
    as_json: AsJson = False,
) -> None:
    """Does the metric rank runs as people do? Rank all runs anew under another one."""
    from gapwise.workflows.metric import check_metric

    found = check_metric(experiment, optimize, tuple(weigh or ()), split=split)
    out.give(found, as_json, show_metric)


COMMANDS = (prefer, metric)
