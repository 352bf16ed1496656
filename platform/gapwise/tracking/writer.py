"""Write one run: what a trainer calls. A step costs an appended line, MLflow follows behind."""

import os
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gapwise.errors import StorageError
from gapwise.settings import Settings
from gapwise.tracking.behind import BEHIND
from gapwise.tracking.client import sqlite_file
from gapwise.tracking.files import naming, sha256
from gapwise.tracking.folder import LoggedDataset, LoggedFile, RunFolder, RunRecord, Status
from gapwise.tracking.lock import RunLock
from gapwise.tracking.parameters import flat
from gapwise.tracking.spool import Spool, checked_name, last_values
from gapwise.tracking.system import SystemMetrics

FLUSH_EVERY = 0.2
"""Seconds between writes of the spool: what a killed trainer can lose, and trains again."""

SYNC_EVERY = 1.0
"""Seconds between the spool's fsyncs."""

SIGN_OF_LIFE_EVERY = 10.0
"""Seconds between touches of the lock file, which hosts without the kernel's word go by."""

PATIENCE_EMBEDDED = 20.0
PATIENCE_SERVER = 5.0
PATIENCE_STOPPED = 1.0
"""Seconds that ``finish`` waits for MLflow to have everything."""

_SIGNALLED = (130, 143)


class RunWriter:
    """One run while it is written, by one process at a time.

    As a context manager: an exception makes the run FAILED, Ctrl-C or SIGTERM KILLED. Only
    ``finish("FINISHED")`` makes it FINISHED; a block left without it was not finished (FAILED).
    """

    def __init__(self, folder: RunFolder, record: RunRecord, lock: RunLock, settings: Settings):
        """Open the spool of a run whose ``lock`` is held; ``RunStore`` calls this."""
        self._files = folder
        self._record = record
        self._lock = lock
        self._settings = settings
        self._system: SystemMetrics | None = None
        self._spool = Spool(folder.spool)
        self._over = threading.Event()
        self._guard = threading.RLock()
        folder.write(record)
        self._heart = threading.Thread(target=self._beat, name="run-sync", daemon=True)
        self._heart.start()
        if settings.mirror:
            BEHIND.follow(folder.path, settings)

    @property
    def run_id(self) -> str:
        """The run's own id, made here."""
        return self._record.run_id

    @property
    def folder(self) -> Path:
        """The run's folder: checkpoints, predictions and all else that belongs to it."""
        return self._files.path

    def log_parameters(self, values: Mapping[str, Any]) -> None:
        """Note parameters; nested mappings become dotted keys."""
        fresh = {checked_name(key): value for key, value in flat(values).items()}
        self._change(parameters={**self._record.parameters, **fresh})

    def log_metric(self, name: str, value: float, step: int) -> None:
        """Take one point unless the run has it already (a resumed run comes by again)."""
        self._spool.append({name: value}, step)

    def log_metrics(self, values: Mapping[str, float], step: int) -> None:
        """Take the points of one step that the run does not have already.

        They are written within ``FLUSH_EVERY`` and durable within ``SYNC_EVERY`` seconds.

        Raises:
            UsageError: a name that MLflow could not show.
            StorageError: the disk has been full since an earlier call; the points are kept and
                written when there is space.
        """
        self._spool.append(values, step)

    def sync(self) -> None:
        """Make all points durable now; a checkpoint calls this."""
        self._spool.sync()

    def log_file(self, path: Path, artifact_folder: str = "") -> None:
        """Make a file part of the run; one outside the run's folder is copied into it."""
        path = path.absolute()
        if not path.is_relative_to(self.folder):
            path = self._copied(path, artifact_folder)
        artifact = f"{artifact_folder}/{path.name}".lstrip("/")
        relative = path.relative_to(self.folder).as_posix()
        file = LoggedFile(path=relative, artifact=artifact, sha256=sha256(path))
        with self._guard:
            others = (f for f in self._record.files if f.artifact != artifact)
            self._change(files=(*others, file))

    def log_tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        self._change(tags={**self._record.tags, **{key: str(v) for key, v in values.items()}})

    def log_dataset(self, name: str, digest: str, source: str) -> None:
        """Note what the run is made from: an MLflow input, with the whole digest as a tag."""
        dataset = LoggedDataset(name=name, digest=digest, source=source)
        if dataset not in self._record.datasets:
            self._change(datasets=(*self._record.datasets, dataset))

    def start_system_metrics(self) -> None:
        """Sample processor, memory, disk, network and GPUs every 10 seconds until the end."""
        last = self._spool.last_step("system/cpu_utilization_percentage")
        self._system = SystemMetrics(self.log_metrics, 0 if last is None else last + 1)

    def finish(self, status: Status = "FINISHED") -> bool:
        """End the run; give whether MLflow has all of it (a drain later sends what it lacks).

        Raises:
            StorageError: the disk is full.
        """
        if self._over.is_set():
            return True
        self._end_threads()
        try:
            self._spool.close()
            metrics = last_values(self._files.spool)
            ended, spool = time.time_ns() // 1_000_000, sha256(self._files.spool)
            self._change(status=status, ended=ended, metrics=metrics, spool_sha256=spool)
        finally:
            self._lock.release()
        if not self._settings.mirror:
            return False
        embedded = sqlite_file(self._settings) is not None
        patience = PATIENCE_EMBEDDED if embedded else PATIENCE_SERVER
        if status == "KILLED":  # somebody waits for the process to go; the mirror ends by itself
            patience = PATIENCE_STOPPED
        return BEHIND.finish(self.folder, self._settings, patience)

    def leave(self) -> RunLock:
        """Write no more of a run that goes on elsewhere; give its lock, which is still held."""
        self._end_threads()
        self._spool.close()
        return self._lock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish(_status_after(error))

    def _end_threads(self) -> None:
        if self._system is not None:
            self._system.stop()
        self._over.set()
        self._heart.join()

    def _change(self, **values: Any) -> None:
        with self._guard:
            record = self._record.changed(**values)
            if record != self._record:
                self._files.write(record)
                self._record = record

    def _copied(self, path: Path, artifact_folder: str) -> Path:
        target = self.folder / "files" / artifact_folder / path.name
        with naming(target, "write"):
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.{os.getpid()}")
            shutil.copyfile(path, draft)
            draft.replace(target)
        return target

    def _beat(self) -> None:
        synced = touched = time.monotonic()
        while not self._over.wait(FLUSH_EVERY):
            now = time.monotonic()
            with suppress(StorageError):  # the trainer's next call meets the same disk and tells
                if now - synced >= SYNC_EVERY:
                    synced = now
                    self._spool.sync()
                else:
                    self._spool.flush()
            if now - touched >= SIGN_OF_LIFE_EVERY:
                touched = now
                self._lock.touch()


def _status_after(error: BaseException | None) -> Status:
    if isinstance(error, KeyboardInterrupt):
        return "KILLED"
    if isinstance(error, SystemExit) and error.code in _SIGNALLED:
        return "KILLED"
    return "FAILED"
