"""The power goes: what a disk holds when nothing is on it that was not told to be.

While a change is made, fsyncs and renames are watched. At each of them, and between them, two disks
are kept, the ends of what file systems may do: the lazy one has of every folder the names as of its
last fsync, the eager one all names at once; both have of every file the content as of its last
fsync, and nothing of one that never was.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WATCHED = ("fsync", "fdatasync", "rename", "replace", "link", "unlink", "mkdir", "rmdir")

Files = dict[str, bytes]
"""Path below the root → content."""


@dataclass
class Disk:
    """What is certain to be on the disk below ``root``, and every state that was met."""

    root: Path
    content: dict[int, bytes] = field(default_factory=dict)
    entries: dict[int, dict[str, int]] = field(default_factory=dict)
    folders: set[int] = field(default_factory=set)
    states: list[Files] = field(default_factory=list)

    def take_all(self) -> None:
        """Take everything that is there as certain."""
        for folder in (self.root, *(path for path in self.root.rglob("*") if path.is_dir())):
            self._take_folder(folder)
        for path in self.root.rglob("*"):
            if path.is_file():
                self.content[path.stat().st_ino] = path.read_bytes()

    def synced(self, descriptor: int) -> None:
        """Take one file or folder as certain."""
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if not path.is_relative_to(self.root):
            return
        if path.is_dir():
            self._take_folder(path)
        else:
            self.content[os.fstat(descriptor).st_ino] = path.read_bytes()

    def look(self) -> None:
        """Keep both disks as they would be if the power went now."""
        self.states += [one for one in self.now() if one not in self.states]

    def now(self) -> list[Files]:
        """Return the lazy and the eager disk of this moment."""
        lazy = dict(self._lazy(self.root.stat().st_ino, ""))
        paths = (path for path in self.root.rglob("*") if path.is_file())
        eager = {
            path.relative_to(self.root).as_posix(): self.content.get(path.stat().st_ino, b"")
            for path in paths
        }
        return [lazy, eager]

    def _take_folder(self, folder: Path) -> None:
        number = folder.stat().st_ino
        self.folders.add(number)
        self.entries[number] = {path.name: path.stat().st_ino for path in folder.iterdir()}
        self.folders |= {path.stat().st_ino for path in folder.iterdir() if path.is_dir()}

    def _lazy(self, folder: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        for name, number in self.entries.get(folder, {}).items():
            if number in self.folders:
                yield from self._lazy(number, f"{prefix}{name}/")
            else:
                yield f"{prefix}{name}", self.content.get(number, b"")


def lost_at_any_time(root: Path, change: Callable[[], object]) -> tuple[list[Files], list[Files]]:
    """Make a change; return each state that a power loss during it may leave, and after it."""
    disk = Disk(root)
    disk.take_all()
    with _watching(disk):
        change()
    return disk.states, disk.now()


@contextmanager
def _watching(disk: Disk) -> Iterator[None]:
    real = {name: getattr(os, name) for name in WATCHED}

    def watched(name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            disk.look()
            found = real[name](*args, **options)
            if name in ("fsync", "fdatasync"):
                disk.synced(args[0])
            disk.look()
            return found

        return call

    try:
        for name in WATCHED:
            setattr(os, name, watched(name))
        yield
    finally:
        for name in WATCHED:
            setattr(os, name, real[name])


def laid_out(files: Files, folder: Path) -> Path:
    """Write a state into a new folder."""
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
