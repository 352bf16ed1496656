"""Put a finished folder in its place: whole or not at all, and durable."""

import os
from pathlib import Path


def put_in_place(draft: Path, folder: Path, marker: str) -> None:
    """Rename ``draft`` to ``folder`` and sync the folder above.

    Another process may have written the same content first: a folder that holds ``marker`` is as
    good as ours.

    Raises:
        OSError: the rename failed and nobody else's folder is there.
    """
    try:
        draft.rename(folder)
    except OSError:
        if not (folder / marker).is_file():
            raise
        return
    descriptor = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
