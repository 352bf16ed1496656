"""Calls in this process, one after the other: what a debugger can step through."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from gapwise.workers.base import Call, Done, News, failure_of


class InProcess:
    """A place of work with one slot: ``wait`` runs the call that was submitted."""

    slots = 1

    def __init__(self, asked: Callable[[], bool] = lambda: False) -> None:
        """Take no call yet.

        Args:
            asked: whether somebody asked this process to stop: no other hears it during a call.
        """
        self._asked = asked
        self._calls: deque[tuple[str, Call, Any]] = deque()
        self._news: list[Done | News] = []
        self._stopping = False
        self._key = ""

    def submit(self, key: str, function: Call, argument: Any) -> None:
        """Note a call, which the next ``wait`` runs."""
        self._calls.append((key, function, argument))

    def wait(self, seconds: float) -> list[Done | News]:
        """Run a call to its end, however long that takes."""
        if self._calls:
            self._key, function, argument = self._calls.popleft()
            try:
                done = Done(key=self._key, value=function(argument, self))
            except Exception as error:
                done = Done(key=self._key, failure=failure_of(error))
            self._news.append(done)
        news, self._news = self._news, []
        return news

    def stop(self) -> None:
        """Ask the call that runs to stop."""
        self._stopping = True

    def close(self, seconds: float = 10.0) -> None:
        """Forget what has not begun."""
        self._calls.clear()

    def should_stop(self) -> bool:
        """Whether the call was asked to stop."""
        return self._stopping or self._asked()

    def alive(self, news: Mapping[str, Any]) -> None:
        """Keep what the call says until ``wait`` returns."""
        self._news.append(News(key=self._key, facts=news))
