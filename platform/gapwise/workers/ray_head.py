"""The head of a Ray cluster: joining it, whether it still answers, and leaving it.

Ray itself ends the whole process of a driver, in words of its own, when its head has been away for
a minute, and waits for one that hangs without an end. So it is asked beside Ray, or on a thread,
and given up before that.
"""

import atexit
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from gapwise.errors import ServiceError, UsageError, shown

AWAY_FOR: Final = 20.0
"""Seconds without an answer after which a head is given up; one that restarts is back sooner."""

CLIENT_PORT: Final = 10001
"""Where a head listens for drivers of other machines, unless told otherwise."""

_ANSWERS_WITHIN: Final = 2.0

_JOINS: Final = 3
"""How often to try: Ray forks beside gRPC for each driver, which fails now and then (ray#63202)."""

Answer = TypeVar("Answer")


def begun(question: Callable[[], Answer]) -> Future[Answer]:
    """Ask on a thread of its own, which keeps no process alive where it hangs."""
    answer: Future[Answer] = Future()

    def answered() -> None:
        try:
            answer.set_result(question())
        except Exception as error:
            answer.set_exception(error)

    Thread(target=answered, daemon=True).start()
    return answer


class Head:
    """The head of a cluster that this process has joined.

    Attributes:
        is_lost: whether it was given up.
    """

    def __init__(self, host: str, port: int) -> None:
        self.is_lost = False
        self._place = (host, port)
        self._answered = time.monotonic()
        self._asked: Future[Any] | None = None

    def ask(self, question: Callable[[], Answer]) -> Answer | None:
        """Return what Ray says of the cluster, None where the head does not answer in time.

        Ray's own calls know no limit of time, and a head that hangs still accepts connections.

        Raises:
            ConnectionError: it has not for ``AWAY_FOR`` seconds.
        """
        if not self.answers():
            return None
        self._asked = answer = begun(question)
        with suppress(TimeoutError):
            return answer.result(_ANSWERS_WITHIN)
        return None

    def answers(self) -> bool:
        """Return whether it answers now, and owes no answer.

        Raises:
            ConnectionError: it has not for ``AWAY_FOR`` seconds.
        """
        if self._asked is None or self._asked.done():
            with suppress(OSError), socket.create_connection(self._place, _ANSWERS_WITHIN):
                self._answered = time.monotonic()
                return True
        if time.monotonic() - self._answered > AWAY_FOR:
            raise ConnectionError
        return False

    @contextmanager
    def needed(self) -> Iterator[None]:
        """Give it up where a call of the block finds no connection.

        Raises:
            ServiceError: it is gone.
        """
        try:
            yield
        except ConnectionError as error:
            self.is_lost = True
            host, port = self._place
            raise ServiceError(
                f"the head of the Ray cluster, {host}:{port}, answers no more; start it again "
                "with `ray start --head`, or name other workers, and call the command again: "
                "what was done is kept"
            ) from error


def joined(ray: Any, named: str) -> Head:
    """Join the cluster that is named, or start one; return its head.

    Raises:
        ServiceError: it does not answer.
        UsageError: its address cannot be read.
    """
    try:
        _join(ray, named)
    except (ConnectionError, OSError, RuntimeError) as error:
        raise ServiceError(
            f"the Ray cluster {shown(named)} does not answer: {shown(error, 200)}; start it "
            "with `ray start --head`, or take local processes with --workers 2"
        ) from error
    except ValueError as error:
        raise UsageError(
            f"workers are {shown(named)!r}: {shown(error, 200)}; write ray, or ray://HOST:PORT, "
            "and pip install 'gapwise[ray]'"
        ) from error
    place = os.environ.get("RAY_ADDRESS", "") if named == "ray" else named
    if not place.startswith("ray://"):
        place = f"ray://{ray.get_runtime_context().gcs_address}"
    parts = urlsplit(place)
    return Head(parts.hostname or "", parts.port or CLIENT_PORT)


def _join(ray: Any, named: str) -> None:
    for attempt in range(_JOINS):
        try:
            ray.init(
                address=None if named == "ray" else named,
                include_dashboard=False if named == "ray" else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
                namespace="gapwise",
            )
        except ConnectionAbortedError:
            if attempt == _JOINS - 1:
                raise
        else:
            return


def leave(ray: Any, head: Head, seconds: float) -> None:
    """Leave the cluster, in so many seconds where its head is lost."""
    if not head.is_lost:
        ray.shutdown()
        return
    leaving = begun(ray.shutdown)
    try:
        leaving.result(seconds)
    except TimeoutError:
        # It waits for a head that hangs; so would what Ray does about errors and at the end.
        sys.excepthook = sys.__excepthook__
        atexit.register(_end_beside, leaving)


def _end_beside(leaving: Future[Any]) -> None:
    """End this process at once if Ray still waits: it would crash on its way out."""
    if not leaving.done():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ServiceError.exit_code)
