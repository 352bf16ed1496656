"""Look at data before anything trains."""

from pathlib import Path
from typing import Annotated

import typer

from gapwise.commands.options import AsJson, Overrides, PipelineName
from gapwise.terminal import out
from gapwise.terminal.data import show_data_report, show_split_report


def init(
    source: Annotated[Path, typer.Argument(help="Folder of images by class, or a CSV/Parquet.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
) -> None:
    """Write a commented pipeline for your own data."""
    from gapwise.workflows.init import init as run

    path = run(source, output)
    out.say(f"Wrote {path}. Next: gapwise data {path}")


def data(pipeline: PipelineName, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Show shapes, ranges, missing values, classes, duplicates and samples; train nothing."""
    from gapwise.workflows.inspect import inspect_data

    report = inspect_data(pipeline, overrides or ())
    out.give(report, as_json, show_data_report)


def split(
    pipeline: PipelineName,
    overrides: Overrides = None,
    save: Annotated[Path | None, typer.Option(help="Write the cuts to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who trains, decides and judges, and how sure these sizes can make you."""
    from gapwise.workflows.inspect import inspect_split

    report = inspect_split(pipeline, overrides or (), save)
    out.give(report, as_json, show_split_report)


COMMANDS = (init, data, split)
