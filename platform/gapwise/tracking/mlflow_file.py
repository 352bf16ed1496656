"""An embedded MLflow store as a file: copied while it is used, and told that its folder moved."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from gapwise.errors import StorageError, shown
from gapwise.tracking.files import read_json, write_json
from gapwise.tracking.folder import RunFolder, folders_in

_PLACES: Final = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Columns that say where files lie."""


def copy_store(source: Path, target: Path) -> None:
    """Copy a store as it stands at one moment.

    Raises:
        StorageError: it cannot be read, or the place not be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as one,
            closing(sqlite3.connect(target)) as other,
        ):
            one.backup(other)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(
            f"cannot copy {source} to {target}: {shown(error)}; free or unlock that place"
        ) from error


def moved(file: Path, runs: Path, before: Path, after: Path) -> None:
    """Tell a store, and what runs noted of it, that its home ``before`` is now ``after``.

    Raises:
        StorageError: the store cannot be written.
    """
    old, new = before.absolute().as_uri(), after.absolute().as_uri()
    try:
        with closing(sqlite3.connect(file)) as connection, connection:
            for table, column in _PLACES:
                if column not in _columns(connection, table):
                    continue
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                    f"WHERE substr({column}, 1, ?) = ?",
                    (new, len(old) + 1, len(old) + 1, f"{old}/"),
                )
    except sqlite3.Error as error:
        raise StorageError(
            f"cannot write {file}: {shown(error)}; free or unlock that place"
        ) from error
    for folder in folders_in(runs):
        _told(folder, before.absolute(), after.absolute())


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def _told(folder: RunFolder, before: Path, after: Path) -> None:
    """Let a run go on knowing what its store has."""
    if not folder.drained.is_file():
        return
    document = read_json(folder.drained)
    changes = {
        "artifact_uri": (f"{before.as_uri()}/", f"{after.as_uri()}/"),
        "uri": (f"sqlite:///{before}/", f"sqlite:///{after}/"),
    }
    for name, (old, new) in changes.items():
        if str(document.get(name, "")).startswith(old):
            document[name] = new + document[name].removeprefix(old)
    write_json(folder.drained, document)
