"""Train, and go on with a training."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, Overrides, PipelineName, RunRef, Strict, Workers
from gapwise.terminal import out
from gapwise.terminal.diagnosis import show_trained


def train(  # noqa: PLR0913 - a command's options
    pipeline: PipelineName,
    overrides: Overrides = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="Train this many seeds, as one group.")
    ] = 1,
    name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    workers: Workers = "",
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Train a pipeline, track the run, and say what to do next.

    With --workers each seed trains on a worker, and waits until one is free.
    """
    from gapwise.settings import Settings
    from gapwise.workflows.several_processes import led
    from gapwise.workflows.train import train as run

    where = workers or Settings.read().workers
    trained = led(lambda: run(pipeline, overrides or (), seeds=seeds, run_name=name, workers=where))
    if trained is not None:
        out.give(trained, as_json, show_trained)
        out.check_strict(strict, trained.quarantined)


def resume(
    run: RunRef,
    force: Annotated[bool, typer.Option(help="Go on although plan or versions differ.")] = False,
    accept_data_change: Annotated[
        bool, typer.Option(help="Go on with the run's snapshot although its source changed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a training that was stopped or killed."""
    from gapwise.workflows.several_processes import led
    from gapwise.workflows.train import resume as go_on

    trained = led(lambda: go_on(run, force=force, accept_data_change=accept_data_change))
    if trained is not None:
        out.give(trained, as_json, show_trained)


COMMANDS = (train, resume)
