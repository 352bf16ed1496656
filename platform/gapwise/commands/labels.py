"""Labels and tags in and out, and every run under corrected labels."""

from pathlib import Path
from typing import Annotated

import typer

from gapwise.commands.options import AsJson
from gapwise.terminal import out
from gapwise.terminal.labels import show_moved, show_rescored


def labels(  # noqa: PLR0913 - one option each
    action: Annotated[str, typer.Argument(help="export or import.")],
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, or JSON of Label Studio.")],
    run: Annotated[str, typer.Option(help="A run of the dataset.")] = "latest",
    to: Annotated[
        str, typer.Option("--format", help="csv, parquet or label-studio; default: by the ending.")
    ] = "",
    split: Annotated[str, typer.Option(help="Split of Label Studio's tasks.")] = "dev",
    spreadsheet: Annotated[
        bool, typer.Option("--spreadsheet", help="CSV whose cells no spreadsheet runs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write tags and labels to a file, or read them from one."""
    from gapwise.errors import UsageError, did_you_mean, shown
    from gapwise.workflows.labels import LabelFile, export_labels, import_labels

    actions = {"export": export_labels, "import": import_labels}
    if action not in actions:
        raise UsageError(f"labels {shown(action)!r}: {did_you_mean(action, actions)}")
    request = LabelFile(
        file=file, run=run, to=to, split=split.replace("-", "_"), spreadsheet=spreadsheet
    )
    out.give(actions[action](request), as_json, show_moved)


def rescore(
    experiment: Annotated[
        str | None, typer.Argument(help="Experiment; default: the latest run's.")
    ] = None,
    before: Annotated[int, typer.Option(help="Label revision; 0 is how the data came.")] = 0,
    after: Annotated[int | None, typer.Option(help="Label revision; default: now.")] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Show the test rung; the look is counted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show every run before and after labels were corrected, and whether the winner changed."""
    from gapwise.workflows.rescore import rescore_runs

    out.give(rescore_runs(experiment, before, after, test=test), as_json, show_rescored)


COMMANDS = (labels, rescore)
