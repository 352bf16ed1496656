"""N1: MLflow's page, as ``gapwise mlflow`` starts it, is for this machine alone."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gapwise.errors import ServiceError
from gapwise.workflows.servers import require_free

PATIENCE = 240.0
LISTENING = "0A"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def served(home: Path, port: int) -> Iterator[int]:
    """MLflow's page, started by the command in a session of its own, which ends with the test."""
    code = f"from gapwise.workflows import servers; servers.mlflow({port})"
    server = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(server, port)
        yield port
    finally:
        end(server)


def wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"nothing answers on port {port} after {PATIENCE:g} s")


def end(server: subprocess.Popen[bytes]) -> None:
    """End the server with all that it started; nothing of its session may be left."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
            server.wait(10)
            await_empty(server.pid, 2)
        except ProcessLookupError:
            break
        except (subprocess.TimeoutExpired, TimeoutError):
            continue
    server.wait(10)


def await_empty(group: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        os.killpg(group, 0)
        time.sleep(0.05)
    raise TimeoutError


def listening(port: int) -> list[str]:
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    if not tables[0].exists():
        pytest.skip("no /proc/net/tcp on this system")
    rows = [
        line.split()
        for table in tables
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    ]
    return [row[1] for row in rows if row[3] == LISTENING and row[1].endswith(f":{port:04X}")]


def test_n1_mlflows_page_listens_on_this_machine_alone(served: int) -> None:
    assert listening(served) == [f"0100007F:{served:04X}"]


def test_a_taken_port_is_named_with_another(port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(ServiceError, match=f"port {port} .* --port {port + 1}"):
            require_free(port, "gapwise mlflow")
    require_free(port, "gapwise mlflow")
