"""Files that are there whole or not at all, and errors that name the path."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gapwise.errors import StorageError


@contextmanager
def naming(path: Path, doing: str) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into a ``StorageError`` that names ``path``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"cannot {doing} {path}: {reason}; free or unlock that place and go on"
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` so that a reader, or a crash, never meets half of it.

    Raises:
        StorageError: the disk is full, the folder is read-only; the old file is intact.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with naming(path, "write"):
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, document: Any) -> None:
    """Write ``document`` as JSON, whole or not at all."""
    write_whole(path, json.dumps(document, indent=1, ensure_ascii=False).encode())


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        StorageError: it cannot be read or is not JSON.
    """
    with naming(path, "read"):
        content = path.read_bytes()
    try:
        return json.loads(content)
    except ValueError as error:
        raise StorageError(f"{path} is damaged ({error}); restore it from a backup") from error


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's content."""
    with naming(path, "read"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def link(path: Path, target: Path) -> None:
    """Link ``target`` to a file that never changes, so that there is no second copy of it."""
    with naming(target, "write"):
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        try:
            os.link(path, draft)
        except OSError:
            shutil.copyfile(path, draft)
        draft.replace(target)
