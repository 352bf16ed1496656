"""Fixtures that every test may use."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded, as the command does


LONG = {"faults", "browser", "search"}
"""Folders of tests that take long although they are few."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: LONG.isdisjoint(item.path.parts))


@pytest.fixture(scope="session")
def harness() -> ModuleType:
    """Kills and full disks inside of writes: ``tests/faults/harness.py``."""
    return _of_faults("harness")


@pytest.fixture(scope="session")
def broken_server() -> ModuleType:
    """A server that drops, delays, refuses and cuts: ``tests/faults/broken_server.py``."""
    return _of_faults("broken_server")


@pytest.fixture(scope="session")
def power() -> ModuleType:
    """Power that goes: ``tests/faults/power.py``."""
    return _of_faults("power")


def _of_faults(name: str) -> ModuleType:
    path = Path(__file__).parent / "faults" / f"{name}.py"
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses look for it there
    found.loader.exec_module(module)
    return module


@pytest.fixture
def data_folder() -> Path:
    """The folder of real datasets; skipped where there is none, but never under CI."""
    folder = os.environ.get("GAPWISE_DATA")
    if folder:
        return Path(folder)
    reason = "GAPWISE_DATA is not set; set it to a folder of datasets (see docs/data.md)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ``GAPWISE_HOME`` of its own, with a cache beside it."""
    for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GAPWISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "home"


@dataclass(frozen=True)
class PostgreSQL:
    """A server, and what stops and starts it."""

    address: str
    control: Callable[[str], None]


@pytest.fixture(scope="session")
def _postgresql_server(postgresql_server: PostgreSQL) -> str:
    return postgresql_server.address


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL of the system's own programs, on loopback, gone after the tests."""
    programs = _postgresql_programs()
    if programs is None:
        reason = "PostgreSQL is not installed; apt-get install postgresql (its tests need initdb)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="gapwise-pg-") as folder:
        if user:
            shutil.chown(folder, user)
        run = partial(subprocess.run, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
        cluster = f"{folder}/cluster"
        options = "--auth=trust --username=gapwise --encoding=UTF8 --locale=C --no-sync"
        run([programs / "initdb", *options.split(), "-D", cluster], timeout=120)
        where = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder}"

        def control(doing: str) -> None:
            """``start``, or ``stop`` as a power cut does."""
            how = ["-l", f"{folder}/log", "-o", where] if doing == "start" else ["-m", "immediate"]
            run([programs / "pg_ctl", "-D", cluster, "-w", *how, doing], timeout=120)

        control("start")
        try:
            yield PostgreSQL(f"postgresql+psycopg://gapwise@127.0.0.1:{port}", control)
        finally:
            control("stop")


@pytest.fixture
def new_database(_postgresql_server: str) -> Callable[[], str]:
    """Make an empty database; return its address."""
    import psycopg

    def make() -> str:
        name = f"t{uuid.uuid4().hex}"
        plain = _postgresql_server.replace("+psycopg", "")
        with psycopg.connect(f"{plain}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{_postgresql_server}/{name}"

    return make


@pytest.fixture
def postgresql(new_database: Callable[[], str]) -> str:
    """The address of an empty database of its own."""
    return new_database()


def _postgresql_programs() -> Path | None:
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    path = Path(found).resolve() if found else debian[-1] if debian else None
    return path.parent if path else None
