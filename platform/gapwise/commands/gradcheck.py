"""Check gradients."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, Overrides, PipelineName
from gapwise.terminal import out
from gapwise.terminal.gradcheck import show_gradcheck


def gradcheck(
    pipeline: PipelineName,
    overrides: Overrides = None,
    coordinates: Annotated[
        int, typer.Option(min=0, help="Coordinates of each parameter to check; 0 checks all.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Check backpropagation against two-sided differences in float64; train nothing."""
    from gapwise.workflows.gradcheck import check_gradients

    report = check_gradients(pipeline, overrides or (), coordinates=coordinates or None)
    out.give(report, as_json, show_gradcheck)
    if not report.passed:
        raise typer.Exit(1)


COMMANDS = (gradcheck,)
