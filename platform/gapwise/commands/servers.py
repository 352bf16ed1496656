"""Pages, and the health of the stores."""

from pathlib import Path
from typing import Annotated

import typer

from gapwise.commands.options import AsJson
from gapwise.terminal import out
from gapwise.terminal.checks import show_doctor


def dashboard(
    port: Annotated[int, typer.Option(help="Its port.")] = 8501,
    host: Annotated[
        str, typer.Option(help="The address to listen on; beyond this machine people sign in.")
    ] = "127.0.0.1",
    insecure: Annotated[
        str, typer.Option(help="The word that lets other machines in although nobody signs in.")
    ] = "",
) -> None:
    """Open the dashboard on 127.0.0.1, or for a team."""
    from gapwise.workflows.servers import dashboard as serve

    serve(port, host, insecure)


def mlflow(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 5000) -> None:
    """Open MLflow's own page on the same store."""
    from gapwise.workflows.servers import mlflow as serve

    serve(port)


def doctor(
    backup: Annotated[
        Path | None, typer.Option(help="A new file for a verified copy of the ledger.")
    ] = None,
    repair: Annotated[
        bool, typer.Option(help="Save what can be read of a damaged record of searches.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the stores: close runs that died, verify the records, send what waits in spools."""
    from gapwise.workflows.doctor import examine

    report = examine(backup=backup, repairs=repair)
    out.give(report, as_json, show_doctor)
    if not report["healthy"]:
        raise typer.Exit(1)


COMMANDS = (dashboard, mlflow, doctor)
