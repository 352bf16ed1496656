"""A command that ``torchrun`` started in several processes: one leads, the others take part."""

import signal
from collections.abc import Callable
from typing import TypeVar

from gapwise.errors import GapwiseError
from gapwise.training import distributed
from gapwise.training.job import run_job
from gapwise.workflows.stop import SIGNALS

Given = TypeVar("Given")


def led(command: Callable[[], Given]) -> Given | None:
    """Return what ``command`` gives in the leading process, None in those that follow it.

    They train what the leader trains, and end when it ends. Whatever goes wrong, the leader alone
    says so.

    Raises:
        SystemExit: this process follows, and the leader has gone.
    """
    with distributed.group() as world:
        if world.rank == 0:
            return command()
        # The leader decides when to stop, and saves first.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        try:
            distributed.follow(lambda job, force: run_job(job, force=force))
        except (GapwiseError, RuntimeError) as error:
            raise SystemExit(1) from error
    return None
