"""Is everything in order? Runs that died are closed, spools are sent, the records are verified."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gapwise.errors import GapwiseError, StorageError
from gapwise.ledger.ledger import Ledger
from gapwise.search.event_log import EventLog
from gapwise.search.repair import repair
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore


def examine(
    settings: Settings | None = None, backup: Path | None = None, *, repairs: bool = False
) -> dict[str, Any]:
    """Check the stores and mend what can be mended; ``healthy`` is whether every check holds.

    Args:
        settings: where the stores are.
        backup: a new file for a copy of the ledger, which is verified too.
        repairs: save what can be read of a damaged record of searches.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    checks = [
        _check("runs", lambda: _closed(store)),
        _check("files", lambda: f"{store.prove():,} files of runs hold"),
        _check("tracking", lambda: _drained(store)),
        _check("ledger", lambda: _verified(Ledger(settings.ledger_url))),
        _check("searches", lambda: _searches(EventLog(settings.studies_url), repairs)),
    ]
    if backup is not None:
        copied = partial(_backed_up, Ledger(settings.ledger_url), backup)
        checks.append(_check("backup", copied))
    return {"healthy": all(check["ok"] for check in checks), "checks": checks}


def _check(name: str, look: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "says": look()}
    except GapwiseError as error:
        return {"name": name, "ok": False, "says": str(error)}


def _closed(store: RunStore) -> str:
    closed = store.close_stale()
    return f"{len(closed)} runs had died and are closed as KILLED" if closed else "none has died"


def _drained(store: RunStore) -> str:
    waiting = store.undrained()
    for run_id in waiting:
        store.drain(run_id)
    return f"sent {len(waiting)} runs that waited" if waiting else "nothing waits"


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


def _verified(ledger: Ledger) -> str:
    ledger.verify()
    return f"{ledger.revision()} events, chain intact"
