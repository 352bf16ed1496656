"""One door to a database of Gapwise's own: SQLite or PostgreSQL, reading and appending.

On SQLite one file lock is taken before ``BEGIN IMMEDIATE``: SQLite's own waiting starves writers
(FAULTS traps 4 and 5). PostgreSQL queues writers by an advisory lock. Either way one writer at a
time gives the rows their places, without a gap.
"""

import fcntl
import os
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from gapwise.errors import ServiceError, StorageError, UsageError, shown

PATIENCE_MS = 30_000
"""How long another program may hold SQLite's own lock before it is told."""

_DAMAGED = ("malformed", "not a database", "no such table")
"""What SQLite says of a file that something else has written into, or cut off."""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What lives in a database, and how it is made.

    Attributes:
        noun: what messages call it, such as ``the ledger``.
        variable: the variable that names its address.
        head: its newest version; versions sort as text.
        version: reads the version that a connection finds, "" for none.
        upgrade: brings it to ``head``.
        lock: the key of PostgreSQL's advisory lock that its writers queue by.
        mend: what helps when its file is damaged.
    """

    noun: str
    variable: str
    head: str
    version: Callable[[sa.Connection], str]
    upgrade: Callable[[sa.Connection], None]
    lock: int
    mend: str


class Database:
    """A database; made and brought up to date by the first append, not by reading."""

    def __init__(self, url: str, schema: Schema) -> None:
        """Open nothing yet.

        Raises:
            UsageError: the URL names neither SQLite nor PostgreSQL.
        """
        self._schema = schema
        try:
            self._url = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise UsageError(
                f"{schema.variable} is {shown(url)!r}, which is no URL; write sqlite:///PATH or "
                "postgresql+psycopg://…"
            ) from error
        if self._url.get_backend_name() not in ("sqlite", "postgresql"):
            raise UsageError(
                f"{schema.noun} cannot live at {shown(self._url.render_as_string())}; "
                "use sqlite:///PATH or postgresql+psycopg://…"
            )
        self._engine: tuple[int, sa.Engine, Lock] | None = None
        self._is_current = False

    @property
    def file(self) -> Path | None:
        """The file, where it is SQLite."""
        is_file = self._url.get_backend_name() == "sqlite" and self._url.database
        return Path(str(self._url.database)).absolute() if is_file else None

    @contextmanager
    def reading(self) -> Iterator[sa.Connection | None]:
        """Give a connection for reading; None while there is nothing yet."""
        with self._answering():
            if self.file is not None and not self.file.exists():
                yield None
                return
            with self._connected(write=False) as connection:
                yield connection if self._is_known(connection) else None

    def prove(self, connection: sa.Connection) -> None:
        """Check that every page and index of a SQLite file agrees with the others.

        Raises:
            StorageError: one does not: queries by it would leave out rows that are there.
        """
        if self.file is None:
            return
        said = str(connection.execute(sa.text("PRAGMA integrity_check(1)")).scalar())
        if said != "ok":
            raise self._damaged(said)

    @contextmanager
    def appending(self) -> Iterator[sa.Connection]:
        """Give the connection of the one writer; committed when the block ends well."""
        with self._answering(), self._queue():
            if not self._is_current:
                self._migrate()
            with self._connected(write=True) as connection:
                self._wait_in_line(connection)
                yield connection
                connection.commit()

    def back_up(self, target: Path) -> None:
        """Copy all into a new SQLite file as it stands at one moment, while others write.

        Raises:
            UsageError: ``target`` is there, there is nothing yet, or it is not SQLite.
            StorageError: the copy cannot be written.
        """
        if self.file is None:
            raise UsageError(f"{self._told} is PostgreSQL's; back it up with pg_dump")
        if not self.file.exists():
            raise UsageError(f"{self._told} is not there yet; there is nothing to back up")
        if target.exists():
            raise UsageError(f"{target} is there already; name another file, or move it away")
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with (
                closing(sqlite3.connect(f"{self.file.as_uri()}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(draft)) as copy,
            ):
                source.backup(copy)
            draft.replace(target)
        except (OSError, sqlite3.Error) as error:
            draft.unlink(missing_ok=True)
            raise StorageError(
                f"cannot back {self._told} up to {target}: {shown(error)}; free or unlock that "
                "place"
            ) from error

    @contextmanager
    def _connected(self, write: bool) -> Iterator[sa.Connection]:
        options: dict[str, Any] = {"gapwise_write": write}
        if self.file is None and not write:
            options["isolation_level"] = "AUTOCOMMIT"  # a query alone needs no transaction
        engine, _ = self._current_engine()
        with engine.connect().execution_options(**options) as connection:
            yield connection

    def _current_engine(self) -> tuple[sa.Engine, Lock]:
        """Return the engine and the lock of this process's writers."""
        # A connection must not cross a fork, nor a lock that somebody holds.
        if self._engine is None or self._engine[0] != os.getpid():
            engine = self._make_engine()
            self._engine = (os.getpid(), engine, Lock())
            # A ledger that is let go of leaves no connection behind on the server.
            weakref.finalize(self, engine.dispose)
        return self._engine[1:]

    def _make_engine(self) -> sa.Engine:
        try:
            engine = sa.create_engine(self._url, pool_pre_ping=self.file is None)
        except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
            raise UsageError(
                f"{self._told} needs a driver that is not here ({shown(error)}); "
                "pip install 'gapwise[postgresql]' and write postgresql+psycopg://…"
            ) from error
        if self.file is not None:
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _queue(self) -> AbstractContextManager[Any]:
        # Threads that wait hold no connection: readers would soon find none left.
        return self._current_engine()[1] if self.file is None else waiting_in_line(self.file)

    def _wait_in_line(self, connection: sa.Connection) -> None:
        """On PostgreSQL wait until no other writer is at work; held until the transaction ends."""
        if self.file is None:
            lock = sa.text("SELECT pg_advisory_xact_lock(:lock)")
            connection.execute(lock, {"lock": self._schema.lock})

    def _migrate(self) -> None:
        with self._connected(write=True) as connection:
            self._wait_in_line(connection)
            version = self._schema.version(connection)
            self._check_not_newer(version)
            if version != self._schema.head:
                self._schema.upgrade(connection)
                connection.commit()
        self._is_current = True

    def _is_known(self, connection: sa.Connection) -> bool:
        """Whether the tables are there; once they are up to date that is not asked again."""
        if not self._is_current:
            version = self._schema.version(connection)
            self._check_not_newer(version)
            self._is_current = version == self._schema.head
            return bool(version)
        return True

    def _check_not_newer(self, version: str) -> None:
        if version > self._schema.head:
            raise StorageError(
                f"{self._told} has schema {version}, this gapwise knows up to "
                f"{self._schema.head}; pip install --upgrade gapwise"
            )

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"cannot write {self._told}: {error.strerror}; free or unlock that place and go on"
            ) from error
        except UnicodeDecodeError as error:  # sqlite3 itself, of a message that quotes torn bytes
            raise self._damaged(error) from error
        except sa.exc.DBAPIError as error:
            damaged = any(word in str(error.orig) for word in _DAMAGED)
            if self.file is not None and damaged:
                raise self._damaged(error.orig) from error
            kind = StorageError if self.file is not None else ServiceError
            raise kind(
                f"{self._told} cannot be used: {shown(error.orig, 200)}; nothing was saved"
            ) from error

    def _damaged(self, why: object) -> StorageError:
        return StorageError(f"{self._told} is damaged ({shown(why)}); {self._schema.mend}")

    @property
    def _told(self) -> str:
        """What this is and where, as messages name it."""
        where = str(self.file) if self.file is not None else self._url.render_as_string()
        return f"{self._schema.noun} at {where}"


@contextmanager
def waiting_in_line(file: Path) -> Iterator[None]:
    """Hold the one lock that all writers of an SQLite file take first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite has the fix of the WAL-reset bug (FAULTS trap 6)."""
    fixed = version >= (3, 51, 3) and version[:3] != (3, 52, 0)
    return fixed or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    # PERSIST: the rollback journal without making and removing a file for each event.
    journal = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "PERSIST"
    for statement in (
        f"PRAGMA busy_timeout = {PATIENCE_MS}",
        f"PRAGMA journal_mode = {journal}",
        "PRAGMA synchronous = FULL",
        "PRAGMA trusted_schema = OFF",
    ):
        connection.execute(statement)


def _begin_sqlite(connection: sa.Connection) -> None:
    is_writer = connection.get_execution_options().get("gapwise_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")
