"""Stop politely: the first signal asks for a checkpoint, the second stops at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
"""A batch system may send SIGUSR1 some time before it ends a job (Slurm: ``--signal=USR1@120``)."""


class StopRequest:
    """Whether somebody asked to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        """Return whether a signal came."""
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """130 after an interrupt, 143 after a termination (a closed terminal, a batch system)."""
        return _code(self.signal)

    def ask(self, number: int, _frame: FrameType | None) -> None:
        """Note the first signal; leave at once on the second."""
        if self.signal is not None:
            os._exit(_code(number))
        self.signal = number


def _code(number: int | None) -> int:
    return 130 if number == signal.SIGINT else 143


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Give a ``StopRequest`` that this process's signals set, for the time of the block."""
    request = StopRequest()
    before = {number: signal.signal(number, request.ask) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
