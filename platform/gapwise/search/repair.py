"""Save what can be read of a damaged record of searches (FAULTS S4).

SQLite gives back whatever lies on pages that are whole. Of each study the events up to the first
that is lost are kept: they are a search that was cut off there, and what followed is tried again.
"""

import itertools
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gapwise.database import waiting_in_line
from gapwise.search.event_log import EVENTS, EventLog, Row
from gapwise.search.events import Event
from gapwise.tracking.files import naming

ABSENT: Final = 20_000
"""Row numbers without an answer after which nothing more is looked for: a torn page holds some
hundreds at most."""

_ROW = f"SELECT study, position, kind, trial, facts, at FROM {EVENTS.name} WHERE rowid = ?"


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """What was saved: events of studies, and where the damaged file is kept."""

    events: int
    studies: int
    kept: Path


def repair(file: Path) -> Repaired:
    """Put a whole file in the place of a damaged one, which is kept beside it.

    Raises:
        StorageError: the disk refuses; nothing was changed, or the damaged file lies beside.
    """
    with waiting_in_line(file):
        kept = file.with_name(f"damaged-{time.strftime('%Y%m%d-%H%M%S')}-{file.name}")
        with naming(kept, "write"):
            for ending in ("", "-journal", "-wal"):
                path = file.with_name(file.name + ending)
                if path.exists():
                    path.rename(kept.with_name(kept.name + ending))
    studies = _whole_studies(kept)
    log = EventLog(f"sqlite:///{file}")
    for study, events in studies.items():
        log.append(study, 0, events)
    return Repaired(events=sum(map(len, studies.values())), studies=len(studies), kept=kept)


def _whole_studies(file: Path) -> dict[str, list[Event]]:
    found: dict[str, dict[int, Event]] = {}
    for study, position, event in _readable(file):
        found.setdefault(study, {})[position] = event
    studies = {}
    for study, events in found.items():
        first_lost = next(place for place in itertools.count() if place not in events)
        if first_lost:
            studies[study] = [events[place] for place in range(first_lost)]
    return studies


def _readable(file: Path) -> Iterator[tuple[str, int, Event]]:
    """Give every event that can be read, row by row: a torn page hides its own rows alone."""
    absent = 0
    with closing(sqlite3.connect(file)) as connection:
        # Otherwise SQLite refuses a file that is shorter than its header says.
        connection.execute("PRAGMA writable_schema = ON")
        for number in itertools.count(1):
            try:
                row = connection.execute(_ROW, (number,)).fetchone()
                event = Row(*row).event()
            except (sqlite3.DatabaseError, TypeError, ValueError):
                absent += 1
                if absent > ABSENT:
                    return
                continue
            absent = 0
            yield row[0], row[1], event
