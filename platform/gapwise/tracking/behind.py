"""The process that writes runs to MLflow behind their trainer's back.

A trainer must not wait for MLflow: importing it takes seconds, a batch of 1,000 points 0.1 s of the
interpreter. So a second, low-priority process reads the run folders every few seconds. It is told
by a pipe which runs to follow; when the pipe closes, be it by ``kill -9``, it writes what is left
and goes. All that it does can be done again by anybody (``gapwise.tracking.drain``).
"""

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gapwise.errors import GapwiseError
from gapwise.settings import Settings
from gapwise.tracking.client import connect, quiet_environment
from gapwise.tracking.drain import drain
from gapwise.tracking.folder import RunFolder

EVERY = 2.0
"""Seconds between looks at the run folders."""

LONGEST_PAUSE = 30.0
"""Seconds between tries at most while the store is away."""

NICE = 10

DYING = 0.2
"""Seconds between the pipe's end and the release of the lock, when a trainer is killed."""


class Behind:
    """The trainer's end: one process for all runs of this one, started when first needed."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        os.register_at_fork(after_in_child=self._forget)

    def follow(self, folder: Path, settings: Settings) -> None:
        """Write this run to MLflow every few seconds from now on."""
        with self._guard:
            self._tell(_order("follow", folder, settings))

    def finish(self, folder: Path, settings: Settings, seconds: float) -> bool:
        """Write the rest; give whether MLflow has the whole run within ``seconds``.

        Where it has not, the process goes on by itself and ``drain`` can do it later.
        """
        with self._guard:
            self._tell(_order("finish", folder, settings))
            return self._answer(str(folder), time.monotonic() + seconds)

    def _tell(self, line: bytes) -> None:
        for _ in range(2):
            if self._process is None or self._process.poll() is not None:
                self._process = _start()
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(line)
                self._process.stdin.flush()
            except BrokenPipeError:
                continue
            return

    def _answer(self, folder: str, deadline: float) -> bool:
        assert self._process is not None
        output = self._process.stdout
        assert output is not None
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([output], [], [], left)[0]:
                break
            line = output.readline()
            if not line:
                break
            answer = json.loads(line)
            if answer["folder"] == folder:
                return bool(answer["done"])
        return False

    def _forget(self) -> None:
        # A forked worker must not keep the pipe open: its end is how the trainer's death is seen.
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    os.close(pipe.fileno())
        self._process = None


BEHIND = Behind()


class Follower:
    """The other end: follows run folders until its orders end."""

    def __init__(self, answer: Callable[[str, bool], None]) -> None:
        self._answer = answer
        self._runs: dict[str, Settings] = {}
        self._seen: dict[str, tuple[int, ...]] = {}
        self._clients: dict[str, Any] = {}
        self._pause = EVERY

    def serve(self, source: int) -> None:
        """Obey orders from the file descriptor ``source`` until it ends, then write the rest."""
        waiting = b""
        while True:
            if not select.select([source], [], [], self._pause)[0]:
                self._look()
                continue
            piece = os.read(source, 65536)
            *orders, waiting = (waiting + piece).split(b"\n")
            for order in orders:
                self._obey(json.loads(order))
            if not piece:
                break
        time.sleep(DYING)
        for folder in self._runs:
            self._write(folder)

    def _obey(self, order: dict[str, Any]) -> None:
        folder = order["folder"]
        settings = _settings(order["settings"])
        self._runs[folder] = settings
        if order["do"] == "finish":
            done = self._write(folder)
            if done:
                del self._runs[folder]
            self._answer(folder, done)

    def _look(self) -> None:
        changed = [f for f in self._runs if _state(f) != self._seen.get(f)]
        failed = [folder for folder in changed if not self._write(folder)]
        self._pause = min(2 * self._pause, LONGEST_PAUSE) if failed else EVERY

    def _write(self, folder: str) -> bool:
        if not Path(folder).is_dir():
            return True
        settings = self._runs[folder]
        state = _state(folder)
        try:
            if settings.tracking_uri not in self._clients:
                self._clients[settings.tracking_uri] = connect(settings)
            drain(RunFolder(Path(folder)), settings, self._clients[settings.tracking_uri])
        except GapwiseError as error:
            self._report(folder, str(error))
            return False
        self._seen[folder] = state
        return True

    def _report(self, folder: str, message: str) -> None:
        if Path(folder).is_dir():
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
            with (Path(folder) / "behind.log").open("a") as log:
                log.write(f"{stamp} {message}\n")


def main() -> None:
    """Follow the runs named on standard input."""
    os.nice(NICE)

    def answer(folder: str, done: bool) -> None:
        try:
            os.write(1, json.dumps({"folder": folder, "done": done}).encode() + b"\n")
        except BrokenPipeError:
            return  # the trainer is gone; what it asked for is done all the same

    Follower(answer).serve(0)


def _start() -> subprocess.Popen[bytes]:
    # In a session of its own: Ctrl-C is the trainer's to answer.
    return subprocess.Popen(
        [sys.executable, "-m", "gapwise.tracking.behind"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
        env=os.environ | quiet_environment(),
    )


def _order(what: str, folder: Path, settings: Settings) -> bytes:
    plain = {name: str(value) for name, value in asdict(settings).items() if value is not None}
    return json.dumps({"do": what, "folder": str(folder), "settings": plain}).encode() + b"\n"


def _settings(plain: dict[str, str]) -> Settings:
    return Settings(
        home=Path(plain["home"]),
        cache=Path(plain["cache"]),
        tracking_uri=plain["tracking_uri"],
        ledger_url=plain["ledger_url"],
    )


def _state(folder: str) -> tuple[int, ...]:
    files = RunFolder(Path(folder))
    known = (files.spool, files.path / "run.json")
    return tuple(f.stat().st_mtime_ns if f.exists() else 0 for f in known)


if __name__ == "__main__":
    main()
