"""A command that ``torchrun`` started in several processes: one leads, the others take part."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

import torch.distributed as dist

from gapwise.errors import GapwiseError, StorageError
from gapwise.records import Job
from gapwise.training import distributed
from gapwise.training.job import run_job
from gapwise.workflows.stop import SIGNALS

Given = TypeVar("Given")


def led(command: Callable[[], Given]) -> Given | None:
    """Return what ``command`` gives in the leading process, None in those that follow it.

    They train what the leader trains, and end when it ends. Of a failure, which ends all of them,
    the process where it began speaks; the others end without a word.

    Raises:
        SystemExit: another process failed before this one.
    """
    if distributed.started() > 1:
        signal.signal(signal.SIGTERM, _end)
    with distributed.group() as world:
        try:
            if world.rank == 0:
                return command()
            distributed.follow(_take_part)
        except Exception as error:
            code = error.exit_code if isinstance(error, GapwiseError) else 1
            if not distributed.fails_first():
                raise SystemExit(code) from error
            if isinstance(error, dist.DistError):
                raise distributed.lost(error) from error
            raise
    return None


def _end(number: int, _frame: FrameType | None) -> None:
    """End by a signal, but let who has failed say why first.

    ``torchrun`` signals all others as soon as one process ends, on a busy machine before they
    have spoken.
    """
    if not distributed.failing():
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _take_part(job: Job, force: bool) -> None:
    """Train what the leader trains.

    Raises:
        StorageError: this machine does not see the leader's folders.
    """
    if not Path(job.data).is_dir():
        raise StorageError(
            f"process {os.environ['RANK']} on {socket.gethostname()} does not see the prepared "
            f"data {job.data}; set GAPWISE_HOME and GAPWISE_CACHE to folders that all machines "
            "share"
        )
    with _deaf():
        run_job(job, force=force)


@contextmanager
def _deaf() -> Iterator[None]:
    """Leave signals to the leader, which decides when to stop, and saves first."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
