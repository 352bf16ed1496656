"""Is everything in order? Each part is looked at; what can be mended is, when that is asked for."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from gapwise.errors import GapwiseError, StorageError
from gapwise.ledger.ledger import Ledger
from gapwise.search.event_log import EventLog
from gapwise.search.repair import repair
from gapwise.settings import Settings
from gapwise.tracking.client import answering, connect, public, sqlite_file
from gapwise.tracking.files import naming
from gapwise.tracking.store import RunStore
from gapwise.tracking.upkeep import Upkeep
from gapwise.workflows.vitals import free_bytes

LEAST_FREE: Final = 2**30
"""Bytes that should be free where the runs are."""

MOST_APART: Final = 5.0
"""Seconds that the clock of a file server may differ from this machine's."""

NAMED: Final = ("gapwise", "torch", "mlflow", "optuna", "streamlit")

Look = Callable[[Settings, RunStore], str]


def examine(
    settings: Settings | None = None,
    backup: Path | None = None,
    *,
    repairs: bool = False,
    mends: bool = True,
    proves: bool = True,
) -> dict[str, Any]:
    """Check the stores; ``healthy`` is whether every check holds.

    Args:
        settings: where the stores are.
        backup: a new file for a copy of the ledger, which is verified too.
        repairs: save what can be read of a damaged record of searches.
        mends: close runs that have died and send what waits; else they are problems.
        proves: read every file of every run and hold it against its digest.
    """
    settings = settings or Settings.read()
    looks: dict[str, Look] = {"versions": _versions, "disk": _disk, "clock": _clock}
    looks["tracking"] = _tracking
    looks["runs"] = _close if mends else _died
    if proves:
        looks["files"] = lambda at, _: f"{Upkeep(at).prove():,} files of runs hold"
    looks["spools"] = _send if mends else _waiting
    looks["artifacts"] = _orphans
    looks["ledger"] = lambda at, _: f"{Ledger(at.ledger_url).verify():,} events, chain intact"
    looks["searches"] = lambda at, _: _searches(EventLog(at.studies_url), repairs)
    if backup is not None:
        looks["backup"] = lambda at, _: _backed_up(Ledger(at.ledger_url), backup)
    store = RunStore(settings)
    checks = [_check(name, look, settings, store) for name, look in looks.items()]
    return {"healthy": all(check["ok"] for check in checks), "checks": checks}


def _check(name: str, look: Look, settings: Settings, store: RunStore) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "says": look(settings, store)}
    except GapwiseError as error:
        return {"name": name, "ok": False, "says": str(error)}


def _versions(_: Settings, __: RunStore) -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    return ", ".join([f"Python {python}", *(f"{name} {version(name)}" for name in NAMED)])


def _disk(settings: Settings, _: RunStore) -> str:
    free = free_bytes(settings)
    if free < LEAST_FREE:
        raise StorageError(
            f"{free / 2**20:,.0f} MiB are free at {settings.home}; free some, or move old runs away"
        )
    return f"{free / 2**30:,.1f} GiB free at {settings.home}"


def _clock(settings: Settings, _: RunStore) -> str:
    """Hold the clock that stamps files, which may be a file server's, against this machine's."""
    if not settings.home.is_dir():
        return "no home yet"
    with naming(settings.home, "write into"):
        handle, path = tempfile.mkstemp(prefix=".clock-", dir=settings.home)
        try:
            apart = os.fstat(handle).st_mtime - time.time()
        finally:
            os.close(handle)
            Path(path).unlink()
    if abs(apart) > MOST_APART:
        raise StorageError(
            f"the clock of {settings.home} is {apart:+.0f} s from this machine's, so that runs "
            "seem dead or never end; set both by NTP"
        )
    return "agrees with the files' own"


def _tracking(settings: Settings, _: RunStore) -> str:
    if sqlite_file(settings) is not None:
        return "MLflow's store is a file here"
    client = connect(settings)
    with answering(settings.tracking_uri):
        client.search_experiments(max_results=1)
    return f"{public(settings.tracking_uri)} answers"


def _close(settings: Settings, _: RunStore) -> str:
    closed = Upkeep(settings).close_stale()
    return f"{len(closed)} runs had died and are closed as KILLED" if closed else "none has died"


def _died(settings: Settings, _: RunStore) -> str:
    if found := Upkeep(settings).stale():
        raise StorageError(f"{len(found)} runs have died; `gapwise doctor` closes them as KILLED")
    return "none has died"


def _send(_: Settings, store: RunStore) -> str:
    waiting = store.undrained()
    for run_id in waiting:
        store.drain(run_id)
    return f"sent {len(waiting)} runs that waited" if waiting else "nothing waits"


def _waiting(_: Settings, store: RunStore) -> str:
    if waiting := store.undrained():
        raise StorageError(f"{len(waiting)} runs wait to be sent; `gapwise doctor` sends them")
    return "nothing waits"


def _orphans(settings: Settings, store: RunStore) -> str:
    """Find folders of artifacts whose run MLflow does not know, where it is embedded."""
    if sqlite_file(settings) is None or not settings.artifacts.is_dir():
        return "none lie here"
    known = {row for row in store.rows()["mlflow_id"] if row} | Upkeep(settings).deleted()
    found = [
        path for path in settings.artifacts.glob("*/*/artifacts") if path.parent.name not in known
    ]
    if found:
        raise StorageError(
            f"{len(found)} folders of artifacts belong to no run, such as {found[0].parent}; look "
            "into them and remove them"
        )
    return "each belongs to a run"


def _backed_up(ledger: Ledger, target: Path) -> str:
    return f"{ledger.back_up(target)} events in {target}, chain intact"


def _searches(log: EventLog, repairs: bool) -> str:
    try:
        return f"{log.verify()} events, all whole"
    except StorageError:
        if not repairs or log.file is None:
            raise
    saved = repair(log.file)
    return (
        f"saved {saved.events} events of {saved.studies} searches, which go on from there when "
        f"they are called again; the damaged file is kept as {saved.kept}"
    )
