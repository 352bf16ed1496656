"""Where the ledger lives: one door for SQLite and PostgreSQL, reading and appending.

On SQLite one file lock is taken before ``BEGIN IMMEDIATE``: SQLite's own waiting starves writers
(FAULTS traps 4 and 5). PostgreSQL queues writers by an advisory lock. Either way one writer at a
time gives the events their places, without a gap.
"""

import fcntl
import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from gapwise.errors import ServiceError, StorageError, UsageError, shown

HEAD = "0001"
"""The newest migration."""

_ADVISORY_LOCK = 0x6761_7077
_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """The ledger's database; made and brought up to date by the first append, not by reading."""

    def __init__(self, url: str) -> None:
        """Open nothing yet.

        Raises:
            UsageError: the URL names neither SQLite nor PostgreSQL.
        """
        try:
            self._url = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise UsageError(f"GAPWISE_LEDGER_URL is {shown(url)!r}, which is no URL") from error
        if self._url.get_backend_name() not in ("sqlite", "postgresql"):
            raise UsageError(
                f"the ledger cannot live at {shown(self._url.render_as_string())}; "
                "use sqlite:///PATH or postgresql+psycopg://…"
            )
        self._engine: tuple[int, sa.Engine] | None = None
        self._is_current = False

    @property
    def file(self) -> Path | None:
        """The file, where it is SQLite."""
        is_file = self._url.get_backend_name() == "sqlite" and self._url.database
        return Path(str(self._url.database)).absolute() if is_file else None

    @contextmanager
    def reading(self) -> Iterator[sa.Connection | None]:
        """Give a connection for reading; None while there is no ledger."""
        with self._answering():
            if self.file is not None and not self.file.exists():
                yield None
                return
            with self._connected(write=False) as connection:
                version = _version(connection)
                self._check_not_newer(version)
                yield connection if version else None

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
        """Copy the ledger into a new SQLite file as it stands at one moment, while others write.

        Raises:
            UsageError: ``target`` is there, there is no ledger yet, or it is not SQLite.
            StorageError: the copy cannot be written.
        """
        if self.file is None:
            raise UsageError(
                f"the ledger at {self._where()} is PostgreSQL's; back it up with pg_dump"
            )
        if not self.file.exists():
            raise UsageError(f"there is no ledger at {self.file} yet, so nothing to back up")
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
                f"cannot back the ledger up to {target}: {shown(error)}; free or unlock that place"
            ) from error

    @contextmanager
    def _connected(self, write: bool) -> Iterator[sa.Connection]:
        options = {"gapwise_write": write}
        with self._current_engine().connect().execution_options(**options) as connection:
            yield connection

    def _current_engine(self) -> sa.Engine:
        # A connection must not cross a fork.
        if self._engine is None or self._engine[0] != os.getpid():
            engine = self._make_engine()
            self._engine = (os.getpid(), engine)
            # A ledger that is let go of leaves no connection behind on the server.
            weakref.finalize(self, engine.dispose)
        return self._engine[1]

    def _make_engine(self) -> sa.Engine:
        try:
            engine = sa.create_engine(self._url, pool_pre_ping=self.file is None)
        except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
            raise UsageError(
                f"a ledger at {self._where()} needs a driver that is not here ({shown(error)}); "
                "pip install 'gapwise[postgresql]' and write postgresql+psycopg://…"
            ) from error
        if self.file is not None:
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine

    @contextmanager
    def _queue(self) -> Iterator[None]:
        if self.file is None:
            yield
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        path = self.file.with_name(f"{self.file.name}.lock")
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _wait_in_line(self, connection: sa.Connection) -> None:
        """On PostgreSQL wait until no other writer is at work; held until the transaction ends."""
        if self.file is None:
            lock = sa.text("SELECT pg_advisory_xact_lock(:lock)")
            connection.execute(lock, {"lock": _ADVISORY_LOCK})

    def _migrate(self) -> None:
        with self._connected(write=True) as connection:
            self._wait_in_line(connection)
            version = _version(connection)
            self._check_not_newer(version)
            if version != HEAD:
                _upgrade(connection)
                connection.commit()
        self._is_current = True

    def _check_not_newer(self, version: str) -> None:
        if version > HEAD:
            raise StorageError(
                f"the ledger at {self._where()} has schema {version}, this gapwise knows up to "
                f"{HEAD}; pip install --upgrade gapwise"
            )

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"cannot write the ledger at {self._where()}: {error.strerror}; free or unlock "
                "that place and go on"
            ) from error
        except sa.exc.DBAPIError as error:
            kind = StorageError if self.file is not None else ServiceError
            raise kind(
                f"the ledger at {self._where()} cannot be used: {shown(error.orig, 200)}; nothing "
                "was saved"
            ) from error

    def _where(self) -> str:
        return str(self.file) if self.file is not None else self._url.render_as_string()


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite has the fix of the WAL-reset bug (FAULTS trap 6)."""
    fixed = version >= (3, 51, 3) and version[:3] != (3, 52, 0)
    return fixed or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    # PERSIST: the rollback journal without making and removing a file for each event.
    journal = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "PERSIST"
    for statement in (
        "PRAGMA busy_timeout = 30000",
        f"PRAGMA journal_mode = {journal}",
        "PRAGMA synchronous = FULL",
        "PRAGMA trusted_schema = OFF",
    ):
        connection.execute(statement)


def _begin_sqlite(connection: sa.Connection) -> None:
    is_writer = connection.get_execution_options().get("gapwise_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


def _version(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table("ledger_version"):
        return ""
    found = connection.execute(sa.text("SELECT version_num FROM ledger_version")).scalar()
    return str(found or "")


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
