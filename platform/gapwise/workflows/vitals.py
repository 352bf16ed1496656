"""What a monitor watches: counts of runs, of what waits, of the ledger, and what is free."""

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gapwise.ledger.ledger import Ledger
from gapwise.search.event_log import EventLog
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.upkeep import Upkeep


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """Figures of this moment.

    Attributes:
        runs: status → how many.
        stale: runs whose trainer is gone although nobody wrote their end.
        waiting: runs that MLflow does not have whole.
        events: of the ledger.
        searches: that have events.
        free_bytes: where the runs are.
    """

    runs: Mapping[str, int] = field(default_factory=dict)
    stale: int = 0
    waiting: int = 0
    events: int = 0
    searches: int = 0
    free_bytes: int = 0


def vitals(settings: Settings | None = None) -> Vitals:
    """Look at the stores as they are.

    Raises:
        StorageError, ServiceError: one cannot be read.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    return Vitals(
        runs=dict(Counter(store.rows()["status"])),
        stale=len(Upkeep(settings).stale()),
        waiting=len(store.undrained()),
        events=Ledger(settings.ledger_url).revision(),
        searches=len(EventLog(settings.studies_url).studies()),
        free_bytes=free_bytes(settings),
    )


def free_bytes(settings: Settings) -> int:
    """Return what is free where the runs are, or will be."""
    home = next(one for one in (settings.home, *settings.home.parents) if one.is_dir())
    return shutil.disk_usage(home).free
