"""Append events, read them, and prove that nobody changed them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gapwise.database import Database
from gapwise.errors import StorageError, shown
from gapwise.ledger.batch import Batch, event_of, fields_of
from gapwise.ledger.conflict import ConflictError
from gapwise.ledger.event import FIRST_HASH, Entry, Event, digest
from gapwise.ledger.schema import EVENTS, SCHEMA

AT_ONCE = 1000
"""Events of another ledger in one transaction."""


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Ledger:
    """The append-only record (DESIGN: ledger). Safe for many processes and threads."""

    def __init__(self, url: str, now: Callable[[], str] = _utc_now) -> None:
        """Name the database; it is made by the first append.

        Args:
            url: ``sqlite:///PATH`` or ``postgresql+psycopg://…``.
            now: tells the time that is noted for people; nothing is ordered by it.
        """
        self._database = Database(url, SCHEMA)
        self._now = now

    def prepare(self) -> None:
        """Make the tables, or bring them up to date; for a role that may, where others may not.

        Raises:
            StorageError, ServiceError: the database cannot be written.
        """
        with self._database.appending():
            pass

    def append(  # noqa: PLR0913 - an event's fields, all by keyword
        self,
        *,
        dataset: str,
        example_id: str = "",
        kind: str,
        value: Mapping[str, Any],
        author: str,
        reason: str = "",
        key: str | None = None,
        seen: int | None = None,
    ) -> Event:
        """Append an event and return it as it is stored, durably.

        Args:
            dataset: with ``example_id``, whom the event is about.
            example_id: "" for an event about the whole dataset.
            kind: what happened.
            value: how, as JSON.
            author: who says so.
            reason: why.
            key: made by the caller to be able to send the event again without doubling it.
            seen: the revision that the author saw; None appends whatever happened since.

        Raises:
            ConflictError: since ``seen``, another author said something of that kind about the
                example.
            UsageError: a text is too long or holds NUL, or the key is another event's.
            StorageError, ServiceError: the database cannot be written; nothing was appended.
        """
        entry = Entry(
            dataset=dataset,
            example_id=example_id,
            kind=kind,
            value=value,
            author=author,
            reason=reason,
            key=key or "",
            seen=seen,
        )
        (found,) = self.append_all([entry])
        if isinstance(found, ConflictError):
            raise found
        return found

    def append_all(self, entries: Sequence[Entry]) -> list[Event | ConflictError]:
        """Append events in one transaction; return each as it is stored, or why it was not.

        One that conflicts is left out, the others are appended.

        Raises:
            UsageError: a text is too long or holds NUL, or a key is another event's; nothing was
                appended.
            StorageError, ServiceError: the database cannot be written; nothing was appended.
        """
        rows = [fields_of(entry) for entry in entries]
        if not rows:
            return []
        with self._database.appending() as connection:
            batch, utc = Batch(connection), self._now()
            return [batch.add(row, utc) for row in rows]

    def take(self, events: Sequence[Event]) -> int:
        """Append the events of another ledger that are not here, by key; return how many.

        They keep their time, and what their author had seen is told by its place here. A ledger
        that was empty is then the other's, hash for hash.

        Raises:
            UsageError: a key is another event's; nothing of its batch was appended.
            StorageError, ServiceError: the database cannot be written; what is there stays.
        """
        places: dict[int, int] = {}
        count = 0
        for start in range(0, len(events), AT_ONCE):
            with self._database.appending() as connection:
                batch = Batch(connection)
                for event in events[start : start + AT_ONCE]:
                    seen = None if event.seen is None else places.get(event.seen, 0)
                    mine, is_new = batch.take(event, seen)
                    places[event.seq] = mine.seq
                    count += is_new
        return count

    def events(
        self,
        *,
        kind: str | Sequence[str] | None = None,
        dataset: str | None = None,
        example_id: str | None = None,
        until: int | None = None,
        after: int = 0,
    ) -> list[Event]:
        """Return events in their order: of one kind or several, after a revision, until one."""
        wanted = {"dataset": dataset, "example_id": example_id}
        query = sa.select(EVENTS).where(EVENTS.c.seq > after).order_by(EVENTS.c.seq)
        for name, value in wanted.items():
            if value is not None:
                query = query.where(EVENTS.c[name] == value)
        if kind is not None:
            query = query.where(EVENTS.c.kind.in_([kind] if isinstance(kind, str) else kind))
        if until is not None:
            query = query.where(EVENTS.c.seq <= until)
        with self._database.reading() as connection:
            if connection is None:
                return []
            return [event_of(row) for row in connection.execute(query)]

    def revision(self, *, without: Sequence[str] = (), after: int = 0) -> int:
        """Return the position of the last event, of no kind in ``without``; else ``after``."""
        query = sa.select(sa.func.max(EVENTS.c.seq))
        if without:
            query = query.where(EVENTS.c.seq > after, EVENTS.c.kind.not_in(without))
        with self._database.reading() as connection:
            if connection is None:
                return after
            return int(connection.execute(query).scalar() or after)

    def back_up(self, target: Path) -> int:
        """Copy the ledger into a new file while others write; return how many events are in it.

        The copy is verified, so that a backup that is there is one that can be restored.

        Raises:
            UsageError: ``target`` is there, there is no ledger yet, or it is PostgreSQL's.
            StorageError: the copy cannot be written, or the chain does not hold.
        """
        self._database.back_up(target)
        return Ledger(f"sqlite:///{target.absolute()}").verify()

    def verify(self) -> int:
        """Check the file and the whole chain; return how many events hold.

        A chain cannot tell that its last entries were cut off: compare the count with a backup's.

        Raises:
            StorageError: an event was changed, removed or put in; names its position. Or the file
                is damaged.
        """
        with self._database.reading() as connection:
            if connection is None:
                return 0
            self._database.prove(connection)
            rows = connection.execute(sa.select(EVENTS).order_by(EVENTS.c.seq))
            return sum(1 for _ in _verified(rows))


def _verified(rows: Any) -> Iterator[int]:
    last = FIRST_HASH
    for seq, row in enumerate(rows.mappings(), start=1):
        if row["seq"] != seq:
            raise StorageError(
                f"ledger entry {seq} is missing (the next is {shown(row['seq'])}); restore a backup"
            )
        if row["prev_hash"] != last or row["hash"] != _hash(row):
            raise StorageError(f"ledger entry {seq} was tampered with; restore a backup")
        last = row["hash"]
        yield seq


def _hash(row: Any) -> str:
    try:
        return digest(row, row["value"])
    except TypeError:  # SQLite gives bytes for a text whose type was overwritten
        return ""
