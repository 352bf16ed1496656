"""Upkeep of a home's runs: those that died are closed, files are proved, old ones removed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from gapwise.settings import Settings
from gapwise.tracking import proof
from gapwise.tracking import rows as listing
from gapwise.tracking.client import sqlite_file
from gapwise.tracking.files import naming
from gapwise.tracking.folder import RunFolder, folders_in
from gapwise.tracking.lock import RunLock


class Upkeep:
    """What keeps the runs of one ``GAPWISE_HOME`` in order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def prove(self) -> int:
        """Check every file of every run that has ended against its digest; return how many hold.

        Raises:
            StorageError: some are missing or damaged; names the first of them.
        """
        return proof.prove(folders_in(self._settings.runs))

    def stale(self) -> list[str]:
        """Return the runs whose trainer is gone although nobody wrote their end."""
        return [folder.path.name for folder in self._stale()]

    def close_stale(self) -> list[str]:
        """Write KILLED into runs whose trainer is gone; return their ids."""
        closed = []
        for folder in self._stale():
            ended = folder.last_sign_of_life()
            lock = RunLock(folder.lock)
            lock.acquire()
            try:
                folder.write(folder.read().changed(status="KILLED", ended=ended))
            finally:
                lock.release()
            closed.append(folder.path.name)
        return closed

    @contextmanager
    def removing(self, run_id: str) -> Iterator[None]:
        """Remove a run's folder once the block ends well; nobody can write the run meanwhile.

        It is out of sight at once, whatever happens to this process.

        Raises:
            BusyError: a live process writes it.
            StorageError: the place cannot be written.
        """
        folder = RunFolder(self._settings.runs / run_id)
        lock = RunLock(folder.lock)
        lock.acquire()
        gone = folder.path.with_name(f".{run_id}.retired")
        try:
            yield
            with naming(folder.path, "remove"):
                folder.path.rename(gone)
                shutil.rmtree(gone)
        finally:
            lock.release()

    def deleted(self) -> set[str]:
        """Return the MLflow ids of the runs that were deleted there and not yet collected."""
        file = sqlite_file(self._settings)
        rows = [] if file is None else listing.from_sqlite(file)
        return {row.mlflow_id for row in rows if row.deleted}

    def _stale(self) -> list[RunFolder]:
        found = [(folder, folder.read()) for folder in folders_in(self._settings.runs)]
        return [
            folder
            for folder, record in found
            if record.status == "RUNNING" and folder.true_status(record) == "KILLED"
        ]
