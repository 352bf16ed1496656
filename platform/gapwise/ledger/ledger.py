"""Append events, read them, and prove that nobody changed them."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gapwise.database import Database
from gapwise.errors import StorageError, UsageError, shown
from gapwise.ledger.conflict import ConflictError
from gapwise.ledger.event import (
    FIRST_HASH,
    LONGEST_REASON,
    Entry,
    Event,
    canonical,
    digest,
    short,
)
from gapwise.ledger.schema import EVENTS, SCHEMA

LONGEST_ID = 1024
"""Characters of an example's id."""


# Built once: putting a query together costs more than running it.
_INSERT = EVENTS.insert()
_LAST = sa.select(EVENTS.c.seq, EVENTS.c.hash).order_by(EVENTS.c.seq.desc()).limit(1)
_BY_KEY = sa.select(EVENTS).where(EVENTS.c.key == sa.bindparam("key"))
_NEWER = (
    sa.select(EVENTS)
    .where(
        EVENTS.c.dataset == sa.bindparam("dataset"),
        EVENTS.c.example_id == sa.bindparam("example_id"),
        EVENTS.c.kind == sa.bindparam("kind"),
        EVENTS.c.seq > sa.bindparam("seen"),
        EVENTS.c.author != sa.bindparam("author"),
    )
    .order_by(EVENTS.c.seq.desc())
    .limit(1)
)


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
        rows = [_checked(entry) for entry in entries]
        if not rows:
            return []
        with self._database.appending() as connection:
            batch = _Batch(connection, self._now())
            return [batch.add(row) for row in rows]

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
            return [_event(row) for row in connection.execute(query)]

    def revision(self) -> int:
        """Return the position of the last event, 0 for an empty ledger."""
        with self._database.reading() as connection:
            if connection is None:
                return 0
            return int(connection.execute(sa.select(sa.func.max(EVENTS.c.seq))).scalar() or 0)

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


def _checked(entry: Entry) -> dict[str, Any]:
    if not (entry.dataset and entry.kind and entry.author):
        raise UsageError("a ledger entry needs a dataset, a kind and an author; name them")
    return {
        "key": short(entry.key or uuid.uuid4().hex, "a key"),
        "dataset": short(entry.dataset, "a dataset's name"),
        "example_id": short(entry.example_id, "an example's id", LONGEST_ID),
        "kind": short(entry.kind, "a kind"),
        "value": canonical(entry.value),
        "author": short(entry.author, "an author's name"),
        "reason": short(entry.reason, "a reason", LONGEST_REASON),
        "seen": entry.seen,
    }


class _Batch:
    """The events of one transaction; each is chained to the one before."""

    def __init__(self, connection: sa.Connection, utc: str) -> None:
        self._connection = connection
        self._utc = utc
        last = connection.execute(_LAST).first()
        self._last = (int(last.seq), str(last.hash)) if last else (0, FIRST_HASH)

    def add(self, fields: Mapping[str, Any]) -> Event | ConflictError:
        known = self._connection.execute(_BY_KEY, {"key": fields["key"]}).first()
        if known is not None:
            return _same(_event(known), fields)
        if fields["seen"] is not None:
            names = ("dataset", "example_id", "kind", "seen", "author")
            other = self._connection.execute(_NEWER, {name: fields[name] for name in names}).first()
            if other is not None:
                return ConflictError(_event(other))
        seq, prev_hash = self._last[0] + 1, self._last[1]
        row = {**fields, "seq": seq, "utc": self._utc, "prev_hash": prev_hash}
        row["hash"] = digest(row, row["value"])
        self._connection.execute(_INSERT, row)
        self._last = (seq, row["hash"])
        return Event(**{**row, "value": json.loads(row["value"])})


def _same(known: Event, fields: Mapping[str, Any]) -> Event:
    names = ("dataset", "example_id", "kind", "author", "reason")
    is_same = all(getattr(known, name) == fields[name] for name in names)
    if is_same and canonical(known.value) == fields["value"]:
        return known
    raise UsageError(
        f"the key {shown(fields['key'])!r} is that of entry {known.seq} already; make a new key"
    )


def _event(row: sa.Row[Any]) -> Event:
    return Event(**{**row._mapping, "value": json.loads(row.value)})
