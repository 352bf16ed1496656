"""Whole trainings on workers that share no folder with the driver: a run goes there and back by way
of a store (see ``shared_store``), with all that its folder holds.

The run is made here, and held here until it is back: it is seen from the beginning, and ``resume``
finds what a driver left in the store that was killed meanwhile.
"""

import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from gapwise import pipeline_file
from gapwise.data import prepared as prepared_data
from gapwise.records import JobResult
from gapwise.settings import Settings
from gapwise.tracking.folder import RunFolder
from gapwise.tracking.lock import RunLock
from gapwise.tracking.store import RunStore
from gapwise.workers.base import Context
from gapwise.workflows import job_file
from gapwise.workflows.far_jobs import SendNowAndThen
from gapwise.workflows.hide_secrets import hide_secrets
from gapwise.workflows.seed_run import Batch, begin, opened, work
from gapwise.workflows.shared_store import SharedStore

_AWAY: Final = "trainings"


@dataclass(frozen=True, kw_only=True)
class FarOrder:
    """One training: a value that a worker anywhere can carry out.

    Attributes:
        store: the store's address.
        data: the key of the data in it.
    """

    run_id: str
    store: str
    data: str


class FarRun:
    """A run of this home that trains elsewhere."""

    def __init__(self, batch: Batch, seed: int, run_id: str, settings: Settings) -> None:
        """Make the run here, and send it with its data.

        Raises:
            ServiceError: the store does not answer.
        """
        data = f"data/{batch.prepared.digest}"
        self.order = FarOrder(run_id=run_id, store=settings.shared, data=data)
        self._settings = settings
        store = SharedStore(settings.shared)
        store.send_once(batch.prepared.folder, data)
        # The tracking store hears of it once it is back.
        writer = opened(batch, seed, replace(settings, mirror=False), run_id)
        begin(writer, batch, seed)
        self._lock = writer.leave()
        try:
            store.send_tree(writer.folder, _key(run_id))
        except BaseException:
            self.close()
            raise

    def seen(self) -> None:
        """Leave a sign of its life for other hosts."""
        self._lock.touch()

    def bring(self) -> None:
        """Have it in the home, as one that was trained here, and let go of it.

        Raises:
            ServiceError: the store does not answer; ``resume`` brings it later.
        """
        with closing(self):
            _fetch(self.order.run_id, self._settings)

    def here(self, result: JobResult) -> JobResult:
        """Return a result whose checkpoints are those of the home."""
        folder = self._settings.runs / self.order.run_id / "checkpoints"
        named = (result.best_checkpoint, result.last_checkpoint)
        best, last = (str(folder / Path(path).name) for path in named)
        return replace(result, best_checkpoint=best, last_checkpoint=last)

    def close(self) -> None:
        """Let go of it."""
        self._lock.release()


def train_far(order: FarOrder, context: Context) -> JobResult:
    """Train on a worker, from what an attempt before this one sent.

    Raises:
        StoppedError: the worker was asked to stop.
        ServiceError: the store does not answer.
        GapwiseError: as a training in this process.
    """
    store, settings = SharedStore(order.store), Settings.read()
    folder = store.fetch_once(order.data, settings.cache / "far" / order.data)
    prepared = prepared_data.open(folder)
    hide_secrets(prepared)
    with tempfile.TemporaryDirectory(prefix="gapwise-") as scratch:
        home = Path(scratch)
        there = replace(
            settings, home=home, tracking_uri=f"sqlite:///{home / 'mlflow.db'}", mirror=False
        )
        run = there.runs / order.run_id
        store.fetch_tree(_key(order.run_id), run)
        job = replace(job_file.read_job(run), data=str(folder))
        pipeline_file.reveal(job.pipeline)
        send = partial(store.send_tree, run, _key(order.run_id))
        heard = [SendNowAndThen(send)]
        try:
            with RunStore(there).reopen(order.run_id) as writer:
                return work(writer, job, prepared, force=False, context=context, heard=heard)
        finally:
            send()


def bring_left(run_id: str, settings: Settings) -> None:
    """Bring what a driver that is gone left of a run in the store, if anything.

    Raises:
        BusyError: a live process holds the run.
        ServiceError: the store does not answer.
    """
    folder = RunFolder(settings.runs / run_id)
    if not settings.shared or not folder.exists():
        return
    lock = RunLock(folder.lock)
    lock.acquire()
    try:
        _fetch(run_id, settings)
    finally:
        lock.release()


def _fetch(run_id: str, settings: Settings) -> None:
    store = SharedStore(settings.shared)
    store.fetch_tree(_key(run_id), settings.runs / run_id)
    store.remove_tree(_key(run_id))


def _key(run_id: str) -> str:
    return f"{_AWAY}/{run_id}"
