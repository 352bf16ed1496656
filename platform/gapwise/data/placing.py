"""Put a finished folder in its place: whole or not at all, and durable."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def drafted(folder: Path, marker: str) -> Iterator[Path]:
    """Give an empty folder to be filled; when the block ends well, it is put in its place.

    Args:
        folder: its place.
        marker: a file in it by which a whole one is known.

    Raises:
        OSError: the folder cannot be made or put in its place.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name[:16]}-", dir=folder.parent))
    try:
        yield draft
        put_in_place(draft, folder, marker)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def put_in_place(draft: Path, folder: Path, marker: str) -> None:
    """Rename ``draft``, whose own names are durable by then, to ``folder``; sync the one above.

    Another process may have written the same content first: a folder that holds ``marker`` is as
    good as ours.

    Raises:
        OSError: the rename failed and nobody else's folder is there.
    """
    _sync(draft)
    try:
        draft.rename(folder)
    except OSError:
        if not (folder / marker).is_file():
            raise
        return
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
