"""Jobs of a search, here or far away: where workers share no folder with the driver, data, weights
to start from and checkpoints go through a store (see ``shared_store``).
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from gapwise.data import prepared as prepared_data
from gapwise.records import Job, JobResult
from gapwise.settings import Settings
from gapwise.training.callbacks import Callback, Checkpoint
from gapwise.training.trial import run_trial, run_trials
from gapwise.workers.base import Call, Context, Failure, failure_of
from gapwise.workflows.shared_home import Seen, seen
from gapwise.workflows.shared_store import SharedStore

SEND_EVERY = 10.0
"""Seconds between checkpoints that are sent."""


@dataclass(frozen=True, kw_only=True)
class NearJob:
    """A job, and the home that its folders lie in."""

    job: Job
    home: Seen


@dataclass(frozen=True, kw_only=True)
class FarJob:
    """A job, the store's address, and the keys of its data and its checkpoints in it."""

    job: Job
    store: str
    data: str
    checkpoints: str


def call_of(job: Job, settings: Settings) -> tuple[Call, Any]:
    """Return the function and the argument by which a worker runs ``job``.

    Raises:
        ServiceError: what it needs cannot be sent to the store.
    """
    if not settings.shared:
        return run_near, NearJob(job=job, home=seen(settings))
    store = SharedStore(settings.shared)
    data = f"data/{prepared_data.open(Path(job.data)).digest}"
    store.send_once(Path(job.data), data)
    if job.start:
        store.send_once(Path(job.start), _start_key(job))
    checkpoints = _key(Path(job.folder), settings)
    return run_far, FarJob(job=job, store=settings.shared, data=data, checkpoints=checkpoints)


def call_of_several(jobs: Sequence[Job], settings: Settings) -> tuple[Call, Any]:
    """Return the function and the argument by which a worker runs jobs of one shape as one."""
    home = seen(settings)
    return run_near_together, [NearJob(job=job, home=home) for job in jobs]


def bring(folder: Path, settings: Settings) -> None:
    """Have the checkpoints of a job, which may have run far away, in its own folder.

    Raises:
        ServiceError: the store does not answer.
    """
    if settings.shared:
        SharedStore(settings.shared).fetch(_key(folder, settings), folder)


def forget(folder: Path, settings: Settings) -> None:
    """Remove the checkpoints of a job from the store."""
    if settings.shared:
        SharedStore(settings.shared).remove(_key(folder, settings))


def run_near(near: NearJob, context: Context) -> JobResult:
    """Run a job on a worker that shares the driver's folders.

    Raises:
        UsageError: it does not share them.
        GapwiseError: as ``run_trial``.
    """
    near.home.require()
    return run_trial(near.job, context)


def run_near_together(near: Sequence[NearJob], context: Context) -> list[JobResult | Failure]:
    """Run jobs of one shape as one, on a worker that shares the driver's folders.

    Raises:
        UsageError: it does not share them.
        GapwiseError: as ``run_trials``.
    """
    near[0].home.require()
    outcomes = run_trials([one.job for one in near], context)
    return [one if isinstance(one, JobResult) else failure_of(one) for one in outcomes]


def run_far(far: FarJob, context: Context) -> JobResult:
    """Run a job on a worker that sees nothing of the driver's folders.

    Raises:
        ServiceError: the store does not answer.
        GapwiseError: as ``run_trial``.
    """
    store, here = SharedStore(far.store), Settings.read().cache / "far"
    data = store.fetch_once(far.data, here / far.data)
    start = far.job.start
    if start:
        folder = store.fetch_once(_start_key(far.job), here / _start_key(far.job))
        start = str(folder / Path(start).name)
    with tempfile.TemporaryDirectory(prefix="gapwise-") as scratch:
        folder = Path(scratch) / "checkpoints"
        store.fetch(far.checkpoints, folder)
        send = partial(store.send, folder, far.checkpoints)
        job = replace(far.job, data=str(data), folder=str(folder), start=start)
        try:
            result = run_trial(job, context, [SendNowAndThen(send)])
        finally:
            send()
    named = (result.best_checkpoint, result.last_checkpoint)
    best, last = (str(Path(far.job.folder) / Path(path).name) for path in named)
    return replace(result, best_checkpoint=best, last_checkpoint=last)


class SendNowAndThen(Callback):
    """Sends after a checkpoint, every ten seconds at most: what a lost worker can lose."""

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._sent = time.monotonic()

    def on_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Send, if it is time."""
        now = time.monotonic()
        if now - self._sent > SEND_EVERY:
            self._send()
            self._sent = now


def _key(folder: Path, settings: Settings) -> str:
    """Return a folder's place in the store: as it lies in the home."""
    return folder.relative_to(settings.home).as_posix()


def _start_key(job: Job) -> str:
    return f"starts/{job.start_digest}"
