"""What every place of work does: run picklable functions, and say what became of each.

A place of work knows nothing of training, holds no study and no database. A call that is lost with
its worker is told as lost; whoever gave it gives it again.
"""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gapwise.errors import (
    GapwiseError,
    MemoryShortError,
    ServiceError,
    StoppedError,
    StorageError,
)

MOST_ATTEMPTS = 3
"""Times that a call may take its worker with it before whoever gave it gives it up."""


class Context(Protocol):
    """What a call hears and says while it runs."""

    def should_stop(self) -> bool:
        """Whether the call was asked to stop."""

    def alive(self, news: Mapping[str, Any]) -> None:
        """Say how far the call is; silence for too long counts as a hang."""


Call = Callable[[Any, Context], Any]
"""A function of the top level of a module, so that its name can be sent."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An error that crossed from a worker: its class's name, its words, and what it carries.

    Attributes:
        of_place: the disk or a service failed, so the call may succeed when that is mended.
    """

    kind: str
    message: str
    trace: str = ""
    is_told: bool = False
    out_of_memory: bool = False
    of_place: bool = False
    stopped: bool = False


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of a call: a value, a failure, or that its worker was lost."""

    key: str
    value: Any = None
    failure: Failure | None = None
    lost: str = ""


@dataclass(frozen=True, kw_only=True)
class News:
    """What a call said while it runs."""

    key: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Workers(Protocol):
    """A place where calls run, ``slots`` at a time."""

    @property
    def slots(self) -> int:
        """How many calls may run at a time."""

    def submit(self, key: str, function: Call, argument: Any) -> None:
        """Begin a call; at most ``slots`` at a time."""

    def wait(self, seconds: float) -> list[Done | News]:
        """Return what happened, waiting for it at most so long."""

    def stop(self) -> None:
        """Ask all calls to stop; they end as stopped failures."""

    def close(self, seconds: float = 10.0) -> None:
        """Stop all calls, and leave no process behind."""


def failure_of(error: BaseException) -> Failure:
    """Return an error as it crosses from a worker."""
    words = str(error) if isinstance(error, GapwiseError) else f"{type(error).__name__}: {error}"
    return Failure(
        kind=type(error).__name__,
        message=" ".join(words.split()),
        trace="".join(traceback.format_exception(error)),
        is_told=isinstance(error, GapwiseError),
        out_of_memory=isinstance(error, MemoryShortError | MemoryError),
        of_place=isinstance(error, StorageError | ServiceError),
        stopped=isinstance(error, StoppedError | KeyboardInterrupt),
    )
