"""The servers that benchmarks run against, as processes on loopback: started, and gone after."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
PATIENCE = 120.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def dashboard(environment: Mapping[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the dashboard of this checkout; give its address and its process."""
    port = free_port()
    paths = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    words = ["-m", "dashboards", "--port", str(port)]
    with _process(words, {**environment, "PYTHONPATH": paths}) as server:
        _wait(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}", psutil.Process(server.pid)


@contextmanager
def tracking_server(database: str, artifacts: str) -> Iterator[str]:
    """Serve MLflow on a database; give its address."""
    port = free_port()
    words = [
        "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}", "--workers=2",
        f"--backend-store-uri={database}", f"--artifacts-destination={artifacts}",
        f"--allowed-hosts=127.0.0.1:{port}",
    ]  # fmt: skip
    with _process(words, os.environ) as server:
        _wait(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def postgresql() -> Iterator[Callable[[str], str]]:
    """Run PostgreSQL; give what makes a database by name and returns its address."""
    import psycopg

    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="gapwise-pg-") as folder:
        if user:
            shutil.chown(folder, user)
        run = partial(subprocess.run, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
        cluster, options = f"{folder}/cluster", "--auth=trust --username=gapwise --encoding=UTF8"
        run([programs[-1] / "initdb", *options.split(), "-D", cluster])
        control = [programs[-1] / "pg_ctl", "-D", cluster, "-w"]
        where = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder}"
        run([*control, "-l", f"{folder}/log", "-o", where, "start"])

        def make(name: str) -> str:
            address = f"postgresql://gapwise@127.0.0.1:{port}"
            with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            return f"{address.replace('://', '+psycopg://')}/{name}"

        try:
            yield make
        finally:
            run([*control, "-m", "immediate", "stop"])


@contextmanager
def _process(
    words: list[str], environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    server = subprocess.Popen(
        [sys.executable, *words],
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield server
    finally:
        server.terminate()
        server.wait(20)


def _wait(address: str, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at {address}")
