"""A backup: a folder that opens as a home of its own, with the digest of every file in it.

It is made while people train and tag: the ledger and the searches as they stand at one moment, then
each run, then MLflow's own store where it is embedded, which is therefore never behind the runs.
"""

import os
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil

from gapwise.errors import StorageError, UsageError, shown
from gapwise.ledger.ledger import Ledger
from gapwise.seal import holds, sealed, unsealed
from gapwise.search.event_log import EventLog
from gapwise.settings import Settings
from gapwise.tracking.client import sqlite_file
from gapwise.tracking.files import naming, read_json, sha256, sync_folder, write_json
from gapwise.tracking.mlflow_file import copy_store, moved
from gapwise.workflows.move import Moved, embedded, move

MANIFEST: Final = "backup.json"
FORMAT: Final = 1

_DRAFT: Final = ".gapwise-backup-"
"""How the folder of a backup is called, with the process that makes it, until it is whole."""


def back_up(
    folder: Path, settings: Settings | None = None, *, fetches: bool = True
) -> dict[str, Any]:
    """Write a backup into a new folder, whole or not at all; return what is in it.

    Args:
        folder: the folder.
        settings: what is saved.
        fetches: whether the runs are saved that a tracking server alone has; else its database and
            artifacts are saved by other means. An embedded store is saved as it is.

    Raises:
        UsageError: the folder is there already, or there is nothing to back up.
        StorageError, ServiceError: a store cannot be read or the folder cannot be written.
    """
    settings = settings or Settings.read()
    folder = folder.absolute()
    if folder.exists():
        raise UsageError(f"{folder} is there already; name a new folder for each backup")
    draft = folder.with_name(f"{_DRAFT}{os.getpid()}")
    with naming(folder, "write"):
        _remove_left(folder.parent)
        draft.mkdir(parents=True)
    try:
        fetches = fetches and sqlite_file(settings) is None
        brought = move(settings, embedded(draft), sends=False, fetches=fetches)
        if not (brought.runs or brought.events or brought.searches):
            raise UsageError(f"nothing is in {settings.home} yet; there is nothing to back up")
        _mlflow(settings, draft, folder)
        document = _described(draft, brought)
        write_json(draft / MANIFEST, sealed(document))
        with naming(folder, "write"):
            draft.rename(folder)
            sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return {name: value for name, value in document.items() if name != "files"}


def verify(folder: Path) -> dict[str, Any]:
    """Check every file of a backup; return its manifest.

    Raises:
        StorageError: a file is missing or damaged, or it is no backup.
    """
    if not (folder / MANIFEST).is_file():
        raise StorageError(f"{folder} is no backup: it has no {MANIFEST}; name one's folder")
    document = read_json(folder / MANIFEST)
    if not isinstance(document, dict) or not holds(document) or document.get("format") != FORMAT:
        raise StorageError(
            f"{folder / MANIFEST} is damaged, or of a newer Gapwise; take another backup"
        )
    for name, digest in document["files"].items():
        path = folder / name
        if not path.is_file() or sha256(path) != digest:
            raise StorageError(f"{path} is missing or damaged; take another backup")
    return unsealed(document)


def restore(
    folder: Path, settings: Settings | None = None, *, sends: bool = True
) -> dict[str, Any]:
    """Bring a backup into stores that are empty; return what came, and that it is the same.

    Args:
        folder: the backup.
        settings: whereto.
        sends: whether MLflow gets the runs; else its own database is restored by other means.

    Raises:
        UsageError: the stores hold something already.
        StorageError: the backup is damaged, or what arrived is not what was saved.
        ServiceError: a server does not answer.
    """
    settings = settings or Settings.read()
    folder = folder.absolute()
    document = verify(folder)
    _require_empty(settings)
    file, saved = sqlite_file(settings), folder / "mlflow.db"
    whole = sends and file is not None and saved.is_file()
    brought = move(embedded(folder), settings, sends=sends and not whole)
    if file is not None and whole:
        _copy_artifacts(folder, settings.home)
        copy_store(saved, file)
        moved(file, settings.runs, folder, settings.home)
    _require_same(document, settings)
    return {"from": str(folder), "made": document["made"], **brought.as_json()}


def _copy_artifacts(source: Path, target: Path) -> None:
    """Copy MLflow's artifacts; a file that a run's folder holds as well is linked to it there."""
    if not (source / "artifacts").is_dir() or (target / "artifacts").exists():
        return
    held = {_inode(path): path for path in (source / "runs").rglob("*") if path.is_file()}
    with naming(target / "artifacts", "write"):
        for path in sorted((source / "artifacts").rglob("*")):
            into = target / path.relative_to(source)
            if not path.is_file() or path.name.startswith("."):
                continue
            into.parent.mkdir(parents=True, exist_ok=True)
            twin = held.get(_inode(path))
            mine = None if twin is None else target / twin.relative_to(source)
            if mine is not None and mine.is_file() and mine.stat().st_size == path.stat().st_size:
                os.link(mine, into)
            else:
                shutil.copy2(path, into)


def _inode(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _remove_left(folder: Path) -> None:
    """Remove what backups left there whose process was killed: each may be as large as a whole."""
    for path in folder.glob(f"{_DRAFT}*"):
        number = path.name.removeprefix(_DRAFT)
        if number.isdecimal() and not psutil.pid_exists(int(number)):
            shutil.rmtree(path)


def _mlflow(settings: Settings, draft: Path, folder: Path) -> None:
    file = sqlite_file(settings)
    if file is None or not file.is_file():
        return
    copy_store(file, draft / "mlflow.db")
    _copy_artifacts(settings.home, draft)
    moved(draft / "mlflow.db", draft / "runs", settings.home, folder)


def _described(draft: Path, brought: Moved) -> dict[str, Any]:
    events = Ledger(f"sqlite:///{draft / 'ledger.db'}").events()
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    kept = [path for path in files if not path.name.endswith((".lock", "-journal", "-wal", "-shm"))]
    return {
        "format": FORMAT,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "gapwise": version("gapwise"),
        "runs": brought.runs,
        "events": len(events),
        "chain": events[-1].hash if events else "",
        "searches": brought.searches,
        "search_events": brought.search_events,
        "left": brought.left,
        "bytes": sum(path.stat().st_size for path in kept),
        "files": {path.relative_to(draft).as_posix(): sha256(path) for path in kept},
    }


def _require_empty(settings: Settings) -> None:
    held = {
        f"runs in {settings.runs}": settings.runs.is_dir() and any(settings.runs.iterdir()),
        "events in the ledger": Ledger(settings.ledger_url).revision() > 0,
        "searches": bool(EventLog(settings.studies_url).studies()),
    }
    for what, is_there in held.items():
        if is_there:
            raise UsageError(
                f"there are {what} already, and a backup is restored into empty stores; set "
                "GAPWISE_HOME (and the servers' addresses) to new ones, or use gapwise migrate"
            )


def _require_same(document: dict[str, Any], settings: Settings) -> None:
    events = Ledger(settings.ledger_url).events()
    found = (len(events), events[-1].hash if events else "")
    if found != (document["events"], document["chain"]):
        raise StorageError(
            f"the ledger that arrived has {found[0]} events and ends in {shown(found[1], 12)}, the "
            f"backup {document['events']} and {shown(document['chain'], 12)}; restore it again "
            "while nobody writes"
        )
