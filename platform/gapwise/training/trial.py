"""A trial's job on a worker: alone on its folder, heard from while it trains."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gapwise.records import Job, JobResult
from gapwise.tracking.lock import RunLock
from gapwise.training.callbacks import Callback, Epoch, Step
from gapwise.training.job import run_job
from gapwise.training.loop import TELL_SECONDS
from gapwise.training.together import Outcome, run_jobs
from gapwise.workers.base import Context

PATIENCE = 120.0
"""Seconds that a job waits for the attempt before it to let go of the folder.

A node that is cut off notices by itself after a minute, and ends what it runs.
"""


def run_trial(job: Job, context: Context, callbacks: Sequence[Callback] = ()) -> JobResult:
    """Train ``job`` as a worker does: from its newest checkpoint to its epochs.

    Raises:
        BusyError: another process still trains in the folder.
        StoppedError: the worker was asked to stop; a checkpoint is saved.
        GapwiseError: as ``run_job``.
    """
    with _alone_on([job]):
        return run_job(job, [Tell(context), *callbacks], should_stop=context.should_stop)


def run_trials(jobs: Sequence[Job], context: Context) -> list[Outcome]:
    """Train jobs of one shape together, each from its newest checkpoint.

    Raises:
        BusyError: another process still trains in one of their folders.
        StoppedError: the worker was asked to stop; a checkpoint of each is saved.
        GapwiseError: as ``run_jobs``.
    """
    with _alone_on(jobs):
        tell = TellNowAndThen(context)
        return run_jobs(jobs, [[tell]] * len(jobs), should_stop=context.should_stop)


@contextmanager
def _alone_on(jobs: Sequence[Job]) -> Iterator[None]:
    """Hold the folders of ``jobs``.

    An attempt that was given up may still be alive (stopped, say); the kernel's lock on the folder
    keeps the two apart.
    """
    with ExitStack() as held:
        for job in jobs:
            folder = Path(job.folder)
            folder.mkdir(parents=True, exist_ok=True)
            lock = RunLock(folder / "lock")
            lock.acquire(PATIENCE)
            held.callback(lock.release)
        yield


class Tell(Callback):
    """Says how far the training is, so that it does not count as hanging."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_steps(self, steps: Sequence[Step]) -> None:
        """Say the last step's loss."""
        if steps:
            last = steps[-1]
            self._context.alive({"epoch": last.epoch, "step": last.step, "loss": last.loss})

    def on_epoch(self, epoch: Epoch) -> None:
        """Say the dev error."""
        self._context.alive({"epoch": epoch.epoch, "dev_error": epoch.metrics["dev_error"]})


class TellNowAndThen(Tell):
    """Says for several trainings that one of them goes on, four times a second at most."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._told = 0.0

    def on_steps(self, steps: Sequence[Step]) -> None:
        """Say the last step's loss."""
        if time.monotonic() - self._told > TELL_SECONDS:
            self._told = time.monotonic()
            super().on_steps(steps)

    def on_epoch(self, epoch: Epoch) -> None:
        """Leave the dev errors to the results."""
