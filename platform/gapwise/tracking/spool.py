"""The spool: a run's metric points, one JSON line a call, appended and never rewritten.

A point's identity is (run, metric, step): a resumed run appends no point that is there already, and
a point keeps the value and the time first written (DESIGN: Tracking spool).
"""

import json
import math
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import StorageError, UsageError, shown
from gapwise.tracking.files import naming

LONGEST_NAME = 250
_NO_STEPS: NDArray[np.int64] = np.empty(0, np.int64)


class Point(NamedTuple):
    """One value of one metric; ``ms`` is milliseconds since 1970."""

    metric: str
    step: int
    value: float
    ms: int


class Spool:
    """Append points to a file; safe for several threads of one process.

    ``append`` only queues: beside a busy training even a warm file costs 0.1 ms a step (caches are
    the network's), so that somebody else calls ``flush`` a few times a second. The caller holds
    the run's lock, so that no other process appends.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, cutting a torn last line that a kill or a full disk left.

        Raises:
            StorageError: it cannot be opened or written.
        """
        self._path = path
        self._queue: deque[tuple[int, int, Mapping[str, float]]] = deque()
        self._guard = threading.RLock()
        self._names: dict[str, str] = {}
        self._last: dict[str, int] = {}
        self._held: dict[str, NDArray[np.int64]] = {}
        self._late: dict[str, set[int]] = {}
        self._ready: list[str] = []
        self._waiting = b""
        self._synced = 0
        self._broken = ""
        with naming(path, "open"):
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._size = _cut_torn_line(self._handle)
        for point in points(path):
            self._last[point.metric] = max(point.step, self._last.get(point.metric, point.step))

    def append(self, values: Mapping[str, float], step: int) -> None:
        """Take the points that are not there yet; the next ``flush`` writes them.

        Raises:
            UsageError: MLflow could not show a metric of that name.
            StorageError: an earlier flush or fsync failed, and so does another.
        """
        for name in values:
            if name not in self._names:
                self._names[name] = json.dumps(checked_name(name))
        numbers = {name: float(value) for name, value in values.items()}
        self._queue.append((time.time_ns(), int(step), numbers))
        if self._waiting or self._broken:
            self.flush()

    def flush(self) -> None:
        """Write what was appended, so that it outlives this process.

        Raises:
            StorageError: the disk is full; the file is as it was, the points wait for another try.
        """
        with self._guard:
            while self._queue:
                self._ready.append(self._line(*self._queue[0]))
                self._queue.popleft()
            self._write()

    def sync(self) -> None:
        """Make every point durable.

        Raises:
            StorageError: the disk refuses. The kernel then forgets the pages that it could not
                write, so that no later success would mean anything: the spool stays refused.
        """
        self.flush()
        size = self._size
        if size == self._synced:
            return
        try:
            os.fsync(self._handle)
        except OSError as error:
            self._broken = (
                f"{self._path} could not be made durable: {error.strerror}; "
                "mend the disk and resume the run"
            )
            raise StorageError(self._broken) from error
        self._synced = size

    def last_step(self, metric: str) -> int | None:
        """Return the highest step of ``metric``, None when it has no point."""
        self.flush()
        return self._last.get(metric)

    def close(self) -> None:
        """Make every point durable and close the file."""
        try:
            self.sync()
        finally:
            os.close(self._handle)

    def _line(self, nanoseconds: int, step: int, values: Mapping[str, float]) -> str:
        fresh = [name for name in values if self._is_new(name, step)]
        if not fresh:
            return ""
        for name in fresh:
            self._note(name, step)
        written = {self._names[name]: values[name] for name in fresh}
        return _line(step, nanoseconds // 1_000_000, written)

    def _is_new(self, name: str, step: int) -> bool:
        last = self._last.get(name)
        if last is None or step > last:
            return True
        if name not in self._held:
            self._write()
            self._held[name], self._late[name] = _steps(self._path, name), set()
        if step in self._late[name]:
            return False
        held = self._held[name]
        place = int(np.searchsorted(held, step))
        return place == len(held) or int(held[place]) != step

    def _note(self, name: str, step: int) -> None:
        last = self._last.get(name)
        if last is None or step > last:
            self._last[name] = step
        if name in self._held:
            self._late[name].add(step)

    def _write(self) -> None:
        if self._broken:
            raise StorageError(self._broken)
        self._waiting += "".join(self._ready).encode()
        self._ready.clear()
        rest = self._waiting
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError as error:
            os.ftruncate(self._handle, self._size)
            raise StorageError(
                f"cannot write {self._path}: {error.strerror}; free some space and resume the run"
            ) from error
        self._size += len(self._waiting)
        self._waiting = b""


def points(path: Path, start: int = 0) -> Iterator[Point]:
    """Give the points of a spool from byte ``start`` on; a torn last line is passed over.

    Raises:
        StorageError: a line inside the file is damaged.
    """
    for _, batch in lines(path, start):
        yield from batch


def lines(path: Path, start: int = 0) -> Iterator[tuple[int, list[Point]]]:
    """Give each line's points with the byte at which the line ends.

    Raises:
        StorageError: a line inside the file is damaged.
    """
    if not path.exists():
        return
    with naming(path, "read"), path.open("rb") as file:
        file.seek(start)
        end = start
        for line in file:
            if not line.endswith(b"\n"):
                return
            begin, end = end, end + len(line)
            yield end, _parsed(line, path, begin)


def write_points(path: Path, given: Iterable[Point]) -> None:
    """Write a spool of points, those of one moment and step on one line, in the order of time."""
    moment = attrgetter("ms", "step")
    with naming(path, "write"), path.open("w", encoding="utf-8") as file:
        for (ms, step), found in groupby(sorted(given, key=moment), moment):
            file.write(_line(step, ms, {json.dumps(one.metric): one.value for one in found}))
        file.flush()
        os.fsync(file.fileno())


def history(path: Path, metric: str) -> list[Point]:
    """Return the points of one metric in the order of their steps."""
    wanted = json.dumps(metric).encode() + b":"
    found: list[Point] = []
    if path.exists():
        with naming(path, "read"), path.open("rb") as file:
            for line in file:
                if wanted in line and line.endswith(b"\n"):
                    found += [p for p in _parsed(line, path, -1) if p.metric == metric]
    return sorted(found, key=lambda point: point.step)


def last_values(path: Path) -> dict[str, float]:
    """Return each metric's value at its highest step."""
    latest: dict[str, Point] = {}
    for point in points(path):
        if point.metric not in latest or point.step >= latest[point.metric].step:
            latest[point.metric] = point
    return {name: point.value for name, point in latest.items()}


def checked_name(name: str) -> str:
    """Return ``name`` when MLflow can hold a metric or a parameter of that name.

    Raises:
        UsageError: it cannot.
    """
    allowed = name and all(c.isalnum() or c in "/_.- :" for c in name) and len(name) <= LONGEST_NAME
    if not allowed or any(part in ("", ".", "..") for part in name.split("/")):
        raise UsageError(
            f"a metric cannot be called {shown(name)!r}; use at most {LONGEST_NAME} letters, "
            "digits and / _ . - : in a name like dev/error"
        )
    return name


def _line(step: int, ms: int, values: Mapping[str, float]) -> str:
    """Return a line of a spool; names are JSON already."""
    pairs = ",".join(f"{name}:{_number(value)}" for name, value in values.items())
    return f'{{"step":{step},"ms":{ms},"metrics":{{{pairs}}}}}\n'


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else f'"{value!r}"'


def _parsed(line: bytes, path: Path, begin: int) -> list[Point]:
    try:
        document = json.loads(line)
        step, ms = _whole(document["step"]), _whole(document["ms"])
        return [Point(k, step, float(v), ms) for k, v in document["metrics"].items()]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        where = f"{path} is damaged at byte {begin}" if begin >= 0 else f"{path} is damaged"
        raise StorageError(f"{where}: {shown(line.decode(errors='replace'))!r}; restore it from "
                           "a backup or remove that line") from error  # fmt: skip


def _whole(value: Any) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63:  # wider than MLflow and NumPy hold
        raise ValueError(number)
    return number


def _steps(path: Path, metric: str) -> NDArray[np.int64]:
    held = [point.step for point in history(path, metric)]
    return np.array(held, np.int64) if held else _NO_STEPS


def _cut_torn_line(handle: int) -> int:
    size = os.fstat(handle).st_size
    end = size
    while end > 0:
        begin = max(0, end - 65536)
        place = os.pread(handle, end - begin, begin).rfind(b"\n")
        if place >= 0:
            end = begin + place + 1
            break
        end = begin
    if end < size:
        os.ftruncate(handle, end)
    return end
