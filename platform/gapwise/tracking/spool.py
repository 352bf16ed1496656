"""The spool: a run's metric points, one JSON line a call, appended and never rewritten.

A point's identity is (run, metric, step): a resumed run appends no point that is there already, and
a point keeps the value and the time first written (DESIGN: Tracking spool).
"""

import json
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

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

    The caller holds the run's lock, so that nobody else appends.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, cutting a torn last line that a kill or a full disk left.

        Raises:
            StorageError: it cannot be opened or written.
        """
        self._path = path
        self._guard = threading.Lock()
        self._last: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._held: dict[str, NDArray[np.int64]] = {}
        self._late: dict[str, set[int]] = {}
        self._dirty = False
        self._broken = ""
        with naming(path, "open"):
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._size = _cut_torn_line(self._handle)
        for point in points(path):
            self._last[point.metric] = max(point.step, self._last.get(point.metric, point.step))

    def append(self, values: Mapping[str, float], step: int) -> None:
        """Append the points that are not there yet.

        Raises:
            UsageError: MLflow could not show a metric of that name.
            StorageError: the disk is full; the spool is as it was before the call.
        """
        with self._guard:
            fresh = [
                f"{self._names.get(name) or self._name(name)}:{_number(value)}"
                for name, value in values.items()
                if self._is_new(name, step)
            ]
            if fresh:
                line = f'{{"step":{step},"ms":{time.time_ns() // 1_000_000},"metrics":{{'
                self._write(f"{line}{','.join(fresh)}}}}}\n".encode())
                for name in values:
                    self._note(name, step)

    def last_step(self, metric: str) -> int | None:
        """Return the highest step of ``metric``, None when it has no point."""
        return self._last.get(metric)

    def sync(self) -> None:
        """Make every point durable.

        Raises:
            StorageError: the disk refuses. The kernel then forgets the pages that it could not
                write, so that no later success would mean anything: the spool stays refused.
        """
        if self._broken:
            raise StorageError(self._broken)
        if self._dirty:
            self._dirty = False
            try:
                os.fsync(self._handle)
            except OSError as error:
                self._broken = (
                    f"{self._path} could not be made durable: {error.strerror}; "
                    "mend the disk and resume the run"
                )
                raise StorageError(self._broken) from error

    def close(self) -> None:
        """Make every point durable and close the file."""
        try:
            self.sync()
        finally:
            os.close(self._handle)

    def _is_new(self, name: str, step: int) -> bool:
        last = self._last.get(name)
        if last is None or step > last:
            return True
        if name not in self._held:
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

    def _name(self, name: str) -> str:
        self._names[name] = json.dumps(checked_name(name))
        return self._names[name]

    def _write(self, line: bytes) -> None:
        if self._broken:
            raise StorageError(self._broken)
        try:
            rest = line
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError as error:
            os.ftruncate(self._handle, self._size)
            raise StorageError(
                f"cannot write {self._path}: {error.strerror}; free some space and resume the run"
            ) from error
        self._size += len(line)
        self._dirty = True


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


def _number(value: float) -> str:
    number = float(value)
    return repr(number) if math.isfinite(number) else f'"{number!r}"'


def _parsed(line: bytes, path: Path, begin: int) -> list[Point]:
    try:
        document = json.loads(line)
        step, ms = int(document["step"]), int(document["ms"])
        return [Point(k, step, float(v), ms) for k, v in document["metrics"].items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        where = f"{path} is damaged at byte {begin}" if begin >= 0 else f"{path} is damaged"
        raise StorageError(f"{where}: {shown(line.decode(errors='replace'))!r}; restore it from "
                           "a backup or remove that line") from error  # fmt: skip


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
