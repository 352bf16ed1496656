"""Turns on this machine: so many trainings at a time, first come, first served.

A waiter's place in the line and a turn that is taken are locked files, which the kernel frees when
their process ends, however it ends.
"""

import os
import time
from pathlib import Path

from gapwise.errors import BusyError
from gapwise.tracking.files import naming
from gapwise.tracking.lock import RunLock, is_held


class Turns:
    """The line that all commands of one home wait in."""

    def __init__(self, folder: Path, most: int) -> None:
        """Join nothing yet.

        Args:
            folder: where the line is.
            most: turns that may be taken at a time, by all who name as many.
        """
        self._folder, self._most = folder, most
        self._ticket: tuple[Path, RunLock] | None = None

    def take(self) -> "Turn | None":
        """Return a turn if one is free and nobody waits longer; else keep a place in the line.

        Raises:
            StorageError: the folder cannot be written.
        """
        path, _ = self._ticket = self._ticket or self._ticket_of()
        if self._somebody_before(path):
            return None
        for number in range(self._most):
            lock = RunLock(self._folder / f"turn-{number}")
            try:
                lock.acquire(0.0)
            except BusyError:
                continue
            self.leave()
            return Turn(lock)
        return None

    def leave(self) -> None:
        """Give up the place in the line."""
        if self._ticket is not None:
            path, lock = self._ticket
            path.unlink(missing_ok=True)
            lock.release()
            self._ticket = None

    def _ticket_of(self) -> tuple[Path, RunLock]:
        with naming(self._folder, "make"):
            self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"wait-{time.time_ns():020d}-{os.getpid()}"
        lock = RunLock(path)
        lock.acquire()
        return path, lock

    def _somebody_before(self, mine: Path) -> bool:
        for path in sorted(self._folder.glob("wait-*")):
            if path.name >= mine.name:
                return False
            if is_held(path):
                return True
            path.unlink(missing_ok=True)  # its process was killed while it waited
        return False


class Turn:
    """A turn that was taken."""

    def __init__(self, lock: RunLock) -> None:
        self._lock = lock

    def end(self) -> None:
        """Let the next one have it."""
        self._lock.release()
