"""The events of one transaction, each chained to the one before."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from gapwise.errors import UsageError, shown
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
from gapwise.ledger.schema import EVENTS

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


class Batch:
    """Appends to the ledger within a transaction that somebody else commits."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        last = connection.execute(_LAST).first()
        self._last = (int(last.seq), str(last.hash)) if last else (0, FIRST_HASH)

    def add(self, fields: Mapping[str, Any], utc: str) -> Event | ConflictError:
        """Append an event, unless its key is there or somebody said otherwise since ``seen``.

        Raises:
            UsageError: the key is another event's.
        """
        known = self._known(fields)
        if known is not None:
            return known
        if fields["seen"] is not None:
            names = ("dataset", "example_id", "kind", "seen", "author")
            other = self._connection.execute(_NEWER, {name: fields[name] for name in names}).first()
            if other is not None:
                return ConflictError(event_of(other))
        return self._append(fields, utc)

    def take(self, event: Event, seen: int | None) -> tuple[Event, bool]:
        """Append an event of another ledger with its own time; return it, and whether it is new.

        Into an empty ledger this gives the other's chain, hash for hash.

        Raises:
            UsageError: the key is another event's.
        """
        names = ("key", "dataset", "example_id", "kind", "author", "reason")
        fields = {name: getattr(event, name) for name in names}
        fields |= {"value": canonical(event.value), "seen": seen}
        known = self._known(fields)
        return (known, False) if known is not None else (self._append(fields, event.utc), True)

    def _known(self, fields: Mapping[str, Any]) -> Event | None:
        row = self._connection.execute(_BY_KEY, {"key": fields["key"]}).first()
        return None if row is None else _same(event_of(row), fields)

    def _append(self, fields: Mapping[str, Any], utc: str) -> Event:
        seq, prev_hash = self._last[0] + 1, self._last[1]
        row = {**fields, "seq": seq, "utc": utc, "prev_hash": prev_hash}
        row["hash"] = digest(row, row["value"])
        self._connection.execute(_INSERT, row)
        self._last = (seq, row["hash"])
        return Event(**{**row, "value": json.loads(row["value"])})


def fields_of(entry: Entry) -> dict[str, Any]:
    """Return what is stored of an entry, a key made where it has none.

    Raises:
        UsageError: a text is too long or holds NUL, or dataset, kind or author are missing.
    """
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


def event_of(row: sa.Row[Any]) -> Event:
    """Return a row as an event."""
    return Event(**{**row._mapping, "value": json.loads(row.value)})


def _same(known: Event, fields: Mapping[str, Any]) -> Event:
    names = ("dataset", "example_id", "kind", "author", "reason")
    is_same = all(getattr(known, name) == fields[name] for name in names)
    if is_same and canonical(known.value) == fields["value"]:
        return known
    raise UsageError(
        f"the key {shown(fields['key'])!r} is that of entry {known.seq} already; make a new key"
    )
