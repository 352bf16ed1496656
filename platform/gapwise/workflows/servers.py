"""Become a server: our dashboard, MLflow's page, Optuna's, or a node of a Ray cluster."""

import os
import socket
import sys
from pathlib import Path

from gapwise.errors import ServiceError, UsageError
from gapwise.settings import Settings, app_root

LOOPBACK = "127.0.0.1"

MLFLOW_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def dashboard(port: int, host: str = LOOPBACK, insecure: str = "") -> None:
    """Serve the dashboard until it is stopped; see ``dashboards.server.serve``.

    Raises:
        ServiceError: the port is taken.
        UsageError: other machines could reach it and nobody signs in; or the sign-in's file is
            wrong.
    """
    require_free(port, "gapwise dashboard")
    sys.path.insert(0, str(app_root()))
    from dashboards import server

    server.serve(port, host, insecure)


def mlflow(port: int) -> None:
    """Become the server of MLflow's own page on the embedded store, on loopback.

    Raises:
        ServiceError: the port is taken.
    """
    require_free(port, "gapwise mlflow")
    settings = Settings.read()
    settings.home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--host", LOOPBACK, "--port", str(port)]
    command += ["--backend-store-uri", settings.tracking_uri]
    command += ["--default-artifact-root", settings.artifacts.as_uri()]
    # In place of this process, so that whoever stops the command stops the server.
    os.execve(sys.executable, command, os.environ | MLFLOW_QUIET)


def optuna(port: int) -> None:
    """Become Optuna's own dashboard on the copy of the searches, on loopback.

    Raises:
        ServiceError: the port is taken.
        UsageError: it is not installed, or there is no search yet.
    """
    require_free(port, "gapwise optuna")
    program = Path(sys.executable).with_name("optuna-dashboard")
    if not program.is_file():
        raise UsageError("Optuna's dashboard is not here: pip install 'gapwise[optuna-dashboard]'")
    url = Settings.read().optuna_url
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not file.is_file():
        raise UsageError("there is no search yet; `gapwise search PIPELINE` makes one")
    command = [str(program), url, "--host", LOOPBACK, "--port", str(port)]
    os.execve(program, command, os.environ)


def worker(address: str) -> None:
    """Join this machine to a Ray cluster until it is stopped.

    Raises:
        UsageError: Ray is not installed.
    """
    program = Path(sys.executable).with_name("ray")
    if not program.is_file():
        raise UsageError("joining a cluster needs Ray: pip install 'gapwise[ray]'")
    command = [str(program), "start", f"--address={address}", "--block", "--disable-usage-stats"]
    os.execve(program, command, os.environ | {"RAY_USAGE_STATS_ENABLED": "0"})


def require_free(port: int, command: str) -> None:
    """Refuse a port that somebody else listens on.

    Raises:
        ServiceError: naming the port and another to try.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise ServiceError(
                f"port {port} on {LOOPBACK} is taken; try `{command} --port {port + 1}`"
            ) from error
