"""Files that are written whole or not at all, and survive a loss of power."""

import os
from contextlib import suppress
from pathlib import Path

from gapwise.errors import StorageError

DRAFT = ".draft"


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``path`` by draft, fsync and rename; ``sync_folder`` afterwards makes the name last.

    Raises:
        StorageError: the disk refuses; what stood at ``path`` still stands.
    """
    draft = path.with_name(path.name + DRAFT)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(draft, path)  # noqa: PTH105 - one family of calls, which the fault tests count
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise StorageError(
            f"cannot write {path}: {error.strerror}; free some space there, then resume the run"
        ) from error


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StorageError(
            f"cannot sync {folder}: {error.strerror}; check the disk, then resume the run"
        ) from error


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
