"""A real server and a real browser: the system's Chromium, headless, allowed on this machine only.

Screenshots go to the folder that ``GAPWISE_SHOTS`` names, else into the test's temporary folder.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gapwise.settings import Settings

START_WITHIN = 90.0
ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Watched:
    """A browser page that remembers what must not happen."""

    page: Any
    base: str
    console: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def open(self, path: str, expect: str) -> None:
        """Open a path and wait until ``expect`` is there and nothing runs any more."""
        self.page.goto(self.base + path)
        self.page.get_by_text(expect).first.wait_for(timeout=60_000)
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run and everything is drawn."""
        running = "document.querySelector('[data-test-script-state=\"running\"]')"
        skeleton = "document.querySelector('[data-testid=\"stSkeleton\"]')"
        self.page.wait_for_function(f"() => !{running} && !{skeleton}", timeout=60_000)
        self.page.wait_for_timeout(700)

    def text(self) -> str:
        """All text of the page, without the joiners that keep links apart."""
        return str(self.page.inner_text("body")).replace("\u2060", "")

    def assert_clean(self) -> None:
        """Nothing in the console, no request elsewhere, nothing missing, no dialog."""
        assert self.console == []
        assert self.foreign == []
        assert self.failed == []
        assert self.dialogs == []


@pytest.fixture(scope="module")
def made() -> ModuleType:
    """The maker of runs that the pages' tests use too."""
    path = ROOT / "tests" / "dashboards" / "made_runs.py"
    spec = importlib.util.spec_from_file_location("made_runs", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["made_runs"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An own GAPWISE_HOME and cache for the session's server."""
    root = tmp_path_factory.mktemp("browser")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_HOME", str(root / "home"))
        patch.setenv("GAPWISE_CACHE", str(root / "cache"))
        yield root


@pytest.fixture(scope="module")
def server(world: Path) -> Iterator["Server"]:
    """The dashboard's server, which a test may stop and start again on the same port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = Server(world, port)
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def address(server: "Server") -> str:
    """The address of a server that runs while the session does."""
    return server.base


class Server:
    """A process that serves the dashboard over ``world``."""

    def __init__(self, world: Path, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._world = world
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = self._world / "server.log"
        paths = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
        with log.open("a") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dashboards", "--port", str(self._port)],
                cwd=self._world,
                env=os.environ | {"PYTHONPATH": paths},
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        _wait_for(f"{self.base}/_stcore/health", self._process, log)

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Stop it, gently at first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def kill(self) -> None:
        """Take it away as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        self._process = None


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium; skipped where there is none, but never under CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        _lacking("no Chromium is installed; `apt-get install chromium` brings one")
    api = _playwright()
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def profile(browser: Any) -> Iterator[Any]:
    """A browser's profile, whose cache keeps Streamlit's programs from page to page."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def watched(profile: Any, address: str) -> Iterator[Watched]:
    """A fresh page of 1440 × 900 that remembers errors and requests to other hosts."""
    profile.clear_cookies()
    page = profile.new_page()
    page.goto(f"{address}/_stcore/health")
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    seen = Watched(page=page, base=address)
    local = (address, address.replace("http", "ws"), "data:", "blob:", "about:")
    page.on("console", lambda m: seen.console.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.console.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(local) else seen.foreign.append(r.url))
    page.on("response", lambda r: seen.failed.append(r.url) if r.status >= 400 else None)

    def closed(dialog: Any) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", closed)
    yield seen
    page.close()


@pytest.fixture
def shoot(watched: Watched, tmp_path: Path) -> Callable[[str], Path]:
    """Take a screenshot."""

    def take(name: str) -> Path:
        folder = Path(os.environ.get("GAPWISE_SHOTS") or tmp_path)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        watched.page.screenshot(path=path)
        return path

    return take


@pytest.fixture(scope="module")
def settings(world: Path) -> Settings:
    """The settings of the session's server."""
    return Settings.read()


def _playwright() -> Any:
    try:
        from playwright import sync_api
    except ModuleNotFoundError:
        _lacking("playwright is not installed; `pip install gapwise[dev]` brings it")
    return sync_api


def _lacking(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")
