"""The lock that a live trainer holds on its run: who holds it, where and since when.

The kernel drops a ``flock`` with its process, so a killed trainer never leaves one behind. The
file's text only says whom to ask; other hosts, where the kernel's word does not reach, go by age.
"""

import fcntl
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from gapwise.errors import BusyError
from gapwise.tracking.files import naming

PATIENCE = 0.5
"""Seconds that a taker waits by default: a reader's look holds the lock for microseconds."""

STALE_AFTER = 600.0
"""Seconds without a sign of life after which a holder on another host counts as gone."""

_handles: set[int] = set()


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a lock; ``since`` in seconds since 1970."""

    pid: int
    host: str
    boot: str
    since: float

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"process {self.pid} on {self.host} since {since}"

    @property
    def is_here(self) -> bool:
        """Whether the holder ran on this host, so that the kernel's lock speaks for it."""
        return self.host == socket.gethostname()


class RunLock:
    """An exclusive lock on one file, held until ``release`` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self, patience: float = PATIENCE) -> None:
        """Take the lock, waiting for it up to ``patience`` seconds.

        Raises:
            BusyError: somebody holds it; names process, host and since when.
            StorageError: the file cannot be opened.
        """
        with naming(self._path, "lock"):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._take(handle, patience)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        _handles.add(handle)
        _sign(handle)

    def touch(self) -> None:
        """Leave a sign of life for other hosts."""
        if self._handle is not None:
            os.utime(self._handle)

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._handle is not None:
            _handles.discard(self._handle)
            os.close(self._handle)
            self._handle = None

    def _take(self, handle: int, patience: float) -> None:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    who = _signature(self._path) or "another process"
                    raise BusyError(
                        f"{self._path.parent} is in use by {who}; wait for it or stop it"
                    ) from None
                time.sleep(0.02)


def is_held(path: Path) -> bool:
    """Whether a live process holds the lock at ``path`` (on other hosts: by age)."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        holder = _signature(path)
        if holder is not None and not holder.is_here:
            return time.time() - os.fstat(handle).st_mtime < STALE_AFTER
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def boot_id() -> str:
    """Return what tells this start of the machine from the one before ("" where unknown)."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _sign(handle: int) -> None:
    holder = Holder(pid=os.getpid(), host=socket.gethostname(), boot=boot_id(), since=time.time())
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(asdict(holder)).encode(), 0)


def _signature(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _let_go_in_child() -> None:
    # A forked worker shares the lock's open file: it would keep the lock alive after a kill -9 of
    # the trainer. Closing the worker's copy leaves the trainer's lock as it is.
    while _handles:
        os.close(_handles.pop())


os.register_at_fork(after_in_child=_let_go_in_child)
