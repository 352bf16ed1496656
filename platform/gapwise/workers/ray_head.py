"""Whether the head of a Ray cluster still answers.

Ray itself ends the whole process of a driver, in words of its own, when its head has been away for
a minute. So it is asked beside Ray, and given up before that.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from gapwise.errors import ServiceError

AWAY_FOR: Final = 20.0
"""Seconds without an answer after which a head is given up; one that restarts is back sooner."""

_ANSWERS_WITHIN: Final = 2.0


class Head:
    """The head of a cluster that this process has joined.

    Attributes:
        is_lost: whether it was given up.
    """

    def __init__(self, host: str, port: int) -> None:
        self.is_lost = False
        self._place = (host, port)
        self._answered = time.monotonic()

    def answers(self) -> bool:
        """Return whether it answers now.

        Raises:
            ConnectionError: it has not for ``AWAY_FOR`` seconds.
        """
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
