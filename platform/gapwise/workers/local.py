"""Calls in processes of this machine, one a slot, each with a pipe of its own.

A queue that all share can be left locked by a process that is killed, and a pool of processes
breaks whole; here a worker that dies takes its own call with it and is replaced. Workers go when
the process that started them goes: they watch a pipe whose other end only that process holds.
"""

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from gapwise.workers.base import Call, Done, Failure, News, failure_of

SILENT: Final = 600.0
"""Seconds without a word after which a call counts as hanging."""

STARTING: Final = 120.0
"""Seconds that a worker may take to start, before its first call can count as hanging."""

TELL_EVERY: Final = 1.0
"""Seconds between words of a call, at least."""

_SPAWN = multiprocessing.get_context("spawn")


@dataclass
class _Worker:
    """One process, the call that it runs, and when it was last heard of."""

    process: BaseProcess
    pipe: Connection
    life: Connection
    key: str = ""
    is_ready: bool = False
    heard: float = field(default_factory=time.monotonic)


class LocalProcesses:
    """A place of work on this machine."""

    def __init__(
        self,
        slots: int | Sequence[Mapping[str, str]],
        *,
        threads: int = 1,
        silent: float = SILENT,
    ) -> None:
        """Start nothing yet: each worker starts with its first call.

        Args:
            slots: how many, or the environment of each, as ``{"CUDA_VISIBLE_DEVICES": "1"}``.
            threads: of the CPU, for each worker.
            silent: seconds without a word after which a call counts as hanging and is lost.
        """
        given = [{} for _ in range(slots)] if isinstance(slots, int) else slots
        one_each = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
        self._environments = [one_each | dict(one) for one in given]
        self.slots = len(self._environments)
        self._workers: list[_Worker | None] = [None] * self.slots
        self._silent = silent
        self._stopping = False

    @property
    def processes(self) -> list[int]:
        """Process ids of the workers that are there."""
        found = [worker.process.pid for worker in self._workers if worker is not None]
        return [pid for pid in found if pid is not None]

    def submit(self, key: str, function: Call, argument: Any) -> None:
        """Begin a call on a free worker."""
        place = next(i for i, one in enumerate(self._workers) if one is None or not one.key)
        worker = self._workers[place]
        if worker is None or not worker.process.is_alive():
            worker = self._workers[place] = _start(self._environments[place])
        worker.key, worker.heard = key, time.monotonic()
        try:
            worker.pipe.send((function, argument))
        except OSError:
            return  # it died just now: the next wait finds its pipe at an end and tells so

    def wait(self, seconds: float) -> list[Done | News]:
        """Return what happened, waiting for it at most so long."""
        busy = [worker for worker in self._workers if worker is not None and worker.key]
        if not busy:
            return []
        ready = wait([worker.pipe for worker in busy], seconds)
        news: list[Done | News] = []
        for worker in busy:
            if worker.pipe in ready:
                news += self._heard(worker)
            elif time.monotonic() - worker.heard > self._patience(worker):
                news.append(self._hangs(worker))
        return news

    def stop(self) -> None:
        """Ask all calls to stop; they end at their next checkpoint."""
        self._stopping = True
        for worker in self._workers:
            if worker is not None and worker.key:
                _signal(worker, signal.SIGTERM)

    def close(self, seconds: float = 10.0) -> None:
        """Stop all calls, kill what is still there after ``seconds``, and reap every process."""
        deadline = time.monotonic() + seconds
        there = [worker for worker in self._workers if worker is not None]
        for worker in there:
            if worker.key:
                _signal(worker, signal.SIGTERM)
            worker.life.close()
        for worker in there:
            worker.process.join(max(0.1, deadline - time.monotonic()) if worker.key else 1.0)
            _reap(worker)
        self._workers = [None] * self.slots

    def _patience(self, worker: _Worker) -> float:
        return self._silent if worker.is_ready else max(STARTING, self._silent)

    def _heard(self, worker: _Worker) -> list[Done | News]:
        try:
            what, content = worker.pipe.recv()
        except (EOFError, OSError):
            return [self._lost(worker, _how_it_died(worker))]
        worker.heard, worker.is_ready = time.monotonic(), True
        key = worker.key
        if what == "ready":
            return []
        if what == "news":
            return [News(key=key, facts=content)]
        worker.key = ""
        if what == "failure":
            return [Done(key=key, failure=content)]
        return [Done(key=key, value=content)]

    def _lost(self, worker: _Worker, why: str) -> Done:
        key = worker.key
        _reap(worker)
        self._workers[self._workers.index(worker)] = None
        if self._stopping:
            return Done(key=key, failure=_stopped(why))
        return Done(key=key, lost=why)

    def _hangs(self, worker: _Worker) -> Done:
        """Have the worker write where it stands, then kill it (FAULTS T11)."""
        _signal(worker, signal.SIGUSR1)
        time.sleep(0.5)
        return self._lost(worker, f"no word for {self._silent:.0f} seconds; its stacks are told")


def _stopped(why: str) -> Failure:
    return Failure(kind="StoppedError", message=why, is_told=True, stopped=True)


def _start(environment: Mapping[str, str]) -> _Worker:
    pipe, its_pipe = _SPAWN.Pipe()
    its_life, life = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(
        target=_serve, args=(its_pipe, its_life, dict(environment)), name="gapwise-worker"
    )
    process.start()
    its_pipe.close()
    its_life.close()
    return _Worker(process=process, pipe=pipe, life=life)


def _signal(worker: _Worker, number: int) -> None:
    if worker.process.pid is not None and worker.process.is_alive():
        os.kill(worker.process.pid, number)


def _reap(worker: _Worker) -> None:
    """Kill the worker and whatever it started, and wait for it."""
    if worker.process.pid is not None:
        try:
            os.killpg(worker.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            worker.process.kill()
    worker.process.join()
    worker.process.close()
    worker.pipe.close()
    worker.life.close()


def _how_it_died(worker: _Worker) -> str:
    worker.process.join(1.0)
    code = worker.process.exitcode
    if code is not None and code < 0:
        return f"its worker was killed by {signal.Signals(-code).name}"
    return f"its worker ended with exit code {code}"


class _Inside:
    """What a call hears and says, inside its worker."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._told = 0.0
        self.stopping = False

    def should_stop(self) -> bool:
        return self.stopping

    def alive(self, news: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if now - self._told >= TELL_EVERY:
            self._told = now
            self._pipe.send(("news", dict(news)))


def _serve(pipe: Connection, life: Connection, environment: Mapping[str, str]) -> None:
    """Run calls until the pipe ends; leave at once when the parent has gone."""
    os.environ.update(environment)
    os.setsid()
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=True)
    context = _Inside(pipe)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: setattr(context, "stopping", True))
    threading.Thread(target=_leave_with_parent, args=(life,), daemon=True).start()
    pipe.send(("ready", None))
    while True:
        try:
            function, argument = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = ("value", function(argument, context))
        except Exception as error:
            answer = ("failure", failure_of(error))
        try:
            pipe.send(answer)
        except OSError:
            return


def _leave_with_parent(life: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        life.recv()
    os._exit(1)
