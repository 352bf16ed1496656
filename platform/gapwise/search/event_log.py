"""The table of all searches' events: SQLite by default, PostgreSQL for a team."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, cast

import sqlalchemy as sa

from gapwise.database import Database, Schema
from gapwise.errors import BusyError, ServiceError, StorageError, UsageError
from gapwise.seal import digest
from gapwise.search.events import Event, Kind

metadata = sa.MetaData()

EVENTS = sa.Table(
    "gapwise_search_events",
    metadata,
    sa.Column("study", sa.String(256), primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("trial", sa.BigInteger),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

VERSION = sa.Table(
    "gapwise_search_version", metadata, sa.Column("version", sa.String(16), primary_key=True)
)

HEAD = "0001"

MEND = "gapwise doctor --repair saves what can be read of it, and keeps it"


def _version(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table(VERSION.name):
        return ""
    return str(connection.execute(sa.select(sa.func.max(VERSION.c.version))).scalar() or "")


def _upgrade(connection: sa.Connection) -> None:
    metadata.create_all(connection)
    connection.execute(VERSION.insert(), {"version": HEAD})


SCHEMA = Schema(
    noun="the record of searches",
    variable="GAPWISE_STUDIES_URL",
    head=HEAD,
    version=_version,
    upgrade=_upgrade,
    lock=0x6761_7073,
    mend=MEND,
)

PATIENCE = 180.0
"""Seconds for which a search waits for a server that went away: a restart, or a short cut."""

PAUSE = 2.0

_log = logging.getLogger("gapwise")
_INSERT = EVENTS.insert()
_AFTER = (
    sa.select(EVENTS)
    .where(EVENTS.c.study == sa.bindparam("study"), EVENTS.c.position >= sa.bindparam("first"))
    .order_by(EVENTS.c.position)
)


class Row(NamedTuple):
    """An event as the table holds it: what it says is JSON under a seal over the whole row."""

    study: str
    position: int
    kind: str
    trial: int | None
    facts: str
    at: float

    @classmethod
    def of(cls, study: str, position: int, event: Event) -> "Row":
        """Return the row of an event at its place."""
        seal = digest([study, position, event.kind, event.trial, event.facts, event.at])
        text = json.dumps({"facts": event.facts, "seal": seal}, allow_nan=False)
        return cls(study, position, event.kind, event.trial, text, event.at)

    def event(self) -> Event:
        """Return the event; of a row from before there were seals as it is.

        Raises:
            TypeError, ValueError: the row is not what was written.
        """
        packed = json.loads(self.facts)
        if not isinstance(packed, dict):
            raise ValueError("it says nothing")
        facts = packed["facts"] if packed.keys() == {"facts", "seal"} else packed
        event = Event(kind=cast("Kind", self.kind), trial=self.trial, facts=facts, at=self.at)
        if packed.keys() & {"facts", "seal"} and self != Row.of(self.study, self.position, event):
            raise ValueError("it does not match its seal")
        return event


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A search that the table holds: its name, and when it last moved."""

    study: str
    moved: float


class EventLog:
    """The events of every search at one address."""

    def __init__(self, url: str) -> None:
        """Name the database; it is made by the first append.

        Raises:
            UsageError: the URL names neither SQLite nor PostgreSQL.
        """
        self._database = Database(url, SCHEMA)

    def append(self, study: str, first: int, events: Sequence[Event]) -> list[Event]:
        """Append ``events`` from place ``first`` on, all or none, and give them with their time.

        Raises:
            BusyError: another driver has appended to this study meanwhile.
            StorageError: the disk refuses; nothing was written.
            ServiceError: the server is away, for longer than ``PATIENCE``.
        """
        stamped = [replace(event, at=event.at or time.time()) for event in events]
        rows = [Row.of(study, first + place, event) for place, event in enumerate(stamped)]
        away = 0.0
        while True:
            try:
                # A commit that was not answered may have held.
                if not (away and self._has(study, first, rows)):
                    self._append(study, rows)
                return stamped
            except ServiceError as error:
                away = away or time.monotonic()
                _wait(away, error)

    def _append(self, study: str, rows: Sequence[Row]) -> None:
        with self._database.appending() as connection:
            try:
                connection.execute(_INSERT, [row._asdict() for row in rows])
            except sa.exc.IntegrityError as error:
                raise BusyError(
                    f"the study {study} was moved on by another driver; let that one end, or stop "
                    "it, and call the search again"
                ) from error

    def _has(self, study: str, first: int, rows: Sequence[Row]) -> bool:
        with self._database.reading() as connection:
            if connection is None:
                return False
            found = connection.execute(_AFTER, {"study": study, "first": first}).all()
        return [Row(*row) for row in found[: len(rows)]] == list(rows)

    def read(self, study: str, first: int = 0) -> list[Event]:
        """Return the events of a study from place ``first`` on.

        Raises:
            StorageError: an event is lost or torn, or the file is.
            ServiceError: the server is away.
        """
        with self._database.reading() as connection:
            if connection is None:
                return []
            rows = connection.execute(_AFTER, {"study": study, "first": first}).all()
        return [_event(Row(*row), first + place) for place, row in enumerate(rows)]

    def take(self, study: str, events: Sequence[Event]) -> int:
        """Append what another log holds of a study beyond what is here; return how many events.

        Raises:
            UsageError: the study went another way here.
            BusyError, StorageError, ServiceError: as ``append``.
        """
        here = self.read(study)
        if here != list(events[: len(here)]) and list(events) != here[: len(events)]:
            raise UsageError(
                f"the search {study} went another way here than where it comes from; move its "
                "record away on one side"
            )
        further = events[len(here) :]
        if further:
            self.append(study, len(here), further)
        return len(further)

    @property
    def file(self) -> Path | None:
        """The file, where it is SQLite."""
        return self._database.file

    def verify(self) -> int:
        """Read every event of every study; return how many there are.

        Raises:
            StorageError: one is lost or torn, or the file is; says what to do.
            ServiceError: the server is away.
        """
        with self._database.reading() as connection:
            if connection is not None:
                self._database.prove(connection)
        return sum(len(self.read(one.study)) for one in self.studies())

    def studies(self) -> list[Listed]:
        """Return every study, the one that moved last first."""
        query = sa.select(EVENTS.c.study, sa.func.max(EVENTS.c.at)).group_by(EVENTS.c.study)
        with self._database.reading() as connection:
            rows = [] if connection is None else connection.execute(query).all()
        found = [Listed(study=study, moved=moved) for study, moved in rows]
        return sorted(found, key=lambda one: one.moved, reverse=True)


def _wait(away: float, error: ServiceError) -> None:
    """Let a moment pass while the server is away; give up when it is for too long."""
    if not isinstance(error.__cause__, sa.exc.OperationalError):
        raise error
    if time.monotonic() - away > PATIENCE:
        raise error
    _log.warning("%s; the search waits for it", error)
    time.sleep(PAUSE)


def _event(row: Row, place: int) -> Event:
    """Return a row as an event, if it is the one of its place and whole."""
    try:
        if row.position != place:
            raise ValueError(f"event {place} is lost")
        return row.event()
    except (TypeError, ValueError) as error:
        raise StorageError(
            f"the record of the search {row.study} is damaged from event {place} on ({error}); "
            f"{MEND}"
        ) from error
