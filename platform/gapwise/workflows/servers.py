"""Start the two pages: our dashboard and MLflow's own."""

import os
import socket
import sys

from gapwise.errors import ServiceError
from gapwise.settings import Settings, app_root

LOOPBACK = "127.0.0.1"

MLFLOW_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def dashboard(port: int) -> None:
    """Serve the dashboard on loopback until it is stopped.

    Raises:
        ServiceError: the port is taken.
    """
    require_free(port, "gapwise dashboard")
    sys.path.insert(0, str(app_root()))
    from dashboards import server

    server.serve(port)


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
