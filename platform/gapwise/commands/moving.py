"""Backups, and the way from one installation into another."""

from pathlib import Path
from typing import Annotated

import typer

from gapwise.commands.options import AsJson
from gapwise.terminal import out
from gapwise.terminal.moving import show_backup, show_moved


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for it.")],
    check: Annotated[
        bool, typer.Option("--check", help="Only check a backup that is there.")
    ] = False,
    without_mlflow: Annotated[
        bool,
        typer.Option("--without-mlflow", help="A server's database and artifacts are saved apart."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Save runs, searches and the ledger while people go on working, or check such a backup."""
    from gapwise.workflows import backup as backups

    if check:
        document = backups.verify(folder)
        document.pop("files")
    else:
        document = backups.back_up(folder, fetches=not without_mlflow)
    out.give(document, as_json, show_backup)


def restore(
    folder: Annotated[Path, typer.Argument(help="The backup's folder.")],
    without_mlflow: Annotated[
        bool, typer.Option("--without-mlflow", help="MLflow's database is restored by itself.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a backup into an empty home, or into servers that are empty."""
    from gapwise.workflows.backup import restore as bring_back

    out.give(bring_back(folder, sends=not without_mlflow), as_json, show_moved)


def migrate(
    source: Annotated[
        Path | None, typer.Option("--from", help="A .gapwise folder to bring in.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--to", help="A folder that will open without servers.")
    ] = None,
    experiment: Annotated[
        str | None, typer.Option(help="Only the runs of this experiment.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a .gapwise folder into the team's servers, or an experiment out of them."""
    from gapwise.workflows.move import bring

    out.give(bring(source, target, experiment), as_json, show_moved)


COMMANDS = (backup, restore, migrate)
