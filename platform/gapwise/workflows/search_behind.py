"""The process that writes a search's runs behind its driver's back (see ``search_record``).

It is told by a pipe what to follow; when the pipe closes, be it by ``kill -9`` of the driver, it
writes what is left and goes.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from gapwise.errors import GapwiseError, ServiceError
from gapwise.search import event_log
from gapwise.search.events import replay
from gapwise.search.optuna_mirror import OptunaMirror
from gapwise.settings import Settings
from gapwise.tracking.client import quiet_environment
from gapwise.tracking.lock import RunLock
from gapwise.workflows.search_record import Recorder
from gapwise.workflows.search_study import Study, open_study

EVERY = 1.0
"""Seconds between looks at the events."""

LONGEST_PAUSE = 30.0
"""Seconds between tries at most while a store is away."""

NICE = 10

PATIENCE = 300.0
"""Seconds that it waits for the one of an earlier driver, which still writes what was left."""

_LEFT: list["subprocess.Popen[bytes]"] = []
"""Processes that were left to themselves, kept so that they are reaped."""


class Behind:
    """The driver's end."""

    def __init__(self, study: Study, name: str, overrides: Sequence[str], again: bool) -> None:
        """Start the process."""
        order = {"name": name, "overrides": list(overrides), "again": again}
        self._log = study.folder / "behind.log"
        # In a session of its own: Ctrl-C is the driver's to answer.
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gapwise.workflows.search_behind"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                env=os.environ | quiet_environment(),
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def finish(self) -> None:
        """Wait until everything that has ended is written.

        Raises:
            ServiceError: it could not be; says where the reason stands.
        """
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.wait() != 0:
            raise ServiceError(
                f"the search's runs could not all be written; {self._log} says why; mend that and "
                "call the search again, which writes what is missing"
            )

    def leave(self) -> None:
        """Let it write what is left by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        _LEFT.append(self._process)


class _Following:
    def __init__(self, study: Study) -> None:
        self._study = study
        self._recorder = Recorder(study)
        self._log = event_log.EventLog(study.settings.studies_url)
        url = study.settings.optuna_url
        self._mirror = OptunaMirror(url, study.name, study.plan.space)

    def catch_up(self) -> None:
        self._recorder.catch_up()
        self._mirror.catch_up(replay(self._log.read(self._study.name)))


class _Follower:
    """Opens the study that is ordered as soon as its server lets it, and follows it."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._following: _Following | None = None

    def catches_up(self) -> bool:
        try:
            self._following = self._following or self._opened()
            self._following.catch_up()
        except GapwiseError as error:
            _note(error)
            return False
        return True

    def _opened(self) -> _Following:
        name, overrides = self._order["name"], self._order["overrides"]
        study, _ = open_study(name, overrides, Settings.read(), again=self._order["again"])
        RunLock(study.folder / "behind.lock").acquire(PATIENCE)
        return _Following(study)


def main() -> None:
    """Follow the study that standard input names, until it ends."""
    os.nice(NICE)
    follower = _Follower(json.loads(sys.stdin.readline()))
    pause = EVERY
    while not select.select([sys.stdin], [], [], pause)[0]:
        pause = EVERY if follower.catches_up() else min(2 * pause, LONGEST_PAUSE)
    until = time.monotonic() + event_log.PATIENCE  # as long as its driver waits
    while not follower.catches_up():
        if time.monotonic() > until:
            sys.exit(1)
        time.sleep(EVERY)


def _note(error: GapwiseError) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {error}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
