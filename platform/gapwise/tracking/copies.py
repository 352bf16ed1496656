"""A run copied whole into another home, while its trainer may go on writing it."""

import os
import shutil
from pathlib import Path
from typing import Final

from gapwise.errors import StorageError
from gapwise.tracking import lock, proof
from gapwise.tracking.files import naming, sync_folder
from gapwise.tracking.folder import RunFolder

TRIES: Final = 3
"""How often a run that ended, or was labelled, while it was copied is copied again."""

_LEFT: Final = ("lock", "drain.lock")


def copy_run(source: RunFolder, target: RunFolder) -> bool:
    """Copy a run, whole or not at all; return whether there was anything to copy.

    A run that is there already is left, unless it went on where it comes from. Of a run that is
    being trained what stands at this moment is copied: it can be resumed.

    Raises:
        StorageError: a file of it is damaged, or the place cannot be written.
    """
    if target.exists() and not _is_older(target, source):
        return False
    draft = target.path.with_name(f".{target.path.name}.{os.getpid()}")
    with naming(target.path, "write"):
        target.path.parent.mkdir(parents=True, exist_ok=True)
        for left in range(TRIES - 1, -1, -1):
            shutil.rmtree(draft, ignore_errors=True)
            copy_tree(source.path, draft, leave=_LEFT)
            try:
                proof.prove([RunFolder(draft)])
                break
            except StorageError:
                if not left:
                    shutil.rmtree(draft, ignore_errors=True)
                    raise
        put(draft, target.path)
    return True


def copy_tree(source: Path, target: Path, leave: tuple[str, ...] = ()) -> None:
    """Copy a folder file by file; drafts, and what goes away meanwhile, are left out."""
    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        if path.name in leave or path.name.startswith(".") or path.is_symlink():
            continue
        if path.is_dir():
            copy_tree(path, target / path.name)
            continue
        try:
            copy_file(path, target / path.name)
        except FileNotFoundError:
            continue  # an old checkpoint that has just gone


def copy_file(source: Path, target: Path) -> None:
    """Copy a file and make it durable."""
    shutil.copy2(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _is_older(target: RunFolder, source: RunFolder) -> bool:
    """Return whether the run went on where it comes from, and is not written here."""
    here, there = target.read(), source.read()
    if here == there or lock.is_held(target.lock):
        return False
    return there.status == "RUNNING" or (there.ended or 0) > (here.ended or 0)


def put(draft: Path, target: Path) -> None:
    """Put a run's folder that is whole in its place, durably."""
    gone = target.with_name(f".{target.name}.{os.getpid()}.old")
    if target.exists():
        target.rename(gone)
    draft.rename(target)
    sync_folder(target.parent)
    shutil.rmtree(gone, ignore_errors=True)
