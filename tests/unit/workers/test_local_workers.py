"""Workers in local processes: killed, hanging, stopped, orphaned (FAULTS S1, T11, W7)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from gapwise.errors import MemoryShortError, StoppedError, UsageError
from gapwise.workers.base import Context, Done, News, failure_of
from gapwise.workers.in_process import InProcess
from gapwise.workers.local import LocalProcesses
from gapwise.workers.open import open_workers


@pytest.fixture
def workers() -> Iterator[LocalProcesses]:
    made = LocalProcesses(2)
    yield made
    made.close()


def ended(workers: Any, within: float = 60) -> list[Done]:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        found = [one for one in workers.wait(0.2) if isinstance(one, Done)]
        if found:
            return found
    pytest.fail("nothing ended")


def double(argument: int, context: Context) -> int:
    return 2 * argument


def environment(argument: str, context: Context) -> tuple[str | None, int]:
    return os.environ.get(argument), os.getpid()


def die(argument: int, context: Context) -> None:
    os.kill(os.getpid(), argument)


def refuse(argument: str, context: Context) -> None:
    raise MemoryShortError(argument)


def until_stopped(argument: Any, context: Context) -> None:
    for _ in range(600):
        if context.should_stop():
            raise StoppedError("stopped at a checkpoint")
        context.alive({"epoch": 1})
        time.sleep(0.05)


def sleep(argument: float, context: Context) -> None:
    time.sleep(argument)


def test_calls_run_in_processes_of_their_own_with_one_thread_each(workers: LocalProcesses) -> None:
    for key in ("a", "b"):
        workers.submit(key, environment, "OMP_NUM_THREADS")
    found: dict[str, Any] = {}
    while len(found) < 2:
        found |= {done.key: done.value for done in ended(workers)}
    assert [found[key][0] for key in ("a", "b")] == ["1", "1"]
    assert len({pid for _, pid in found.values()} | {os.getpid()}) == 3


def test_errors_cross_with_their_words(workers: LocalProcesses) -> None:
    workers.submit("a", refuse, "cuda has not enough memory")
    (done,) = ended(workers)
    assert done.failure is not None
    assert done.failure.out_of_memory
    assert done.failure.is_told
    assert done.failure.message == "cuda has not enough memory"
    assert "MemoryShortError" in done.failure.trace


def test_s1_a_killed_worker_is_told_and_replaced(workers: LocalProcesses) -> None:
    workers.submit("a", die, signal.SIGKILL)
    (done,) = ended(workers)
    assert done == Done(key="a", lost="its worker was killed by SIGKILL")
    workers.submit("b", double, 4)
    assert ended(workers) == [Done(key="b", value=8)]


def test_t11_a_call_that_says_nothing_for_too_long_is_lost() -> None:
    workers = LocalProcesses(1, silent=3.0)
    try:
        workers.submit("warm", double, 1)
        ended(workers)
        workers.submit("a", sleep, 300.0)
        (done,) = ended(workers)
        assert done.lost == "no word for 3 seconds; its stacks are told"
    finally:
        workers.close()


def test_s3_a_stopped_process_hangs_and_its_late_word_is_never_heard() -> None:
    workers = LocalProcesses(1, silent=3.0)
    try:
        workers.submit("warm", double, 1)
        ended(workers)
        workers.submit("a", sleep, 1.0)
        os.kill(workers.processes[0], signal.SIGSTOP)
        (done,) = ended(workers)
        assert done.lost.startswith("no word for 3 seconds")
        workers.submit("b", double, 3)
        assert ended(workers) == [Done(key="b", value=6)]
    finally:
        workers.close()


def test_asked_to_stop_a_call_ends_as_stopped(workers: LocalProcesses) -> None:
    workers.submit("a", until_stopped, None)
    while not any(isinstance(one, News) for one in workers.wait(1.0)):
        pass
    workers.stop()
    (done,) = ended(workers, within=10)
    assert done.failure is not None
    assert done.failure.stopped


def test_w7_nothing_is_left_after_a_hundred_calls() -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    for _ in range(4):
        workers = LocalProcesses(2)
        for key in range(25):
            workers.submit(str(key), double, key)
            ended(workers)
        workers.close()
    left = [c for c in psutil.Process().children(recursive=True) if c.pid not in before]
    assert [c for c in left if "resource_tracker" not in " ".join(c.cmdline())] == []


PARENT = """
import os, sys, time
sys.path.insert(0, {here!r})
from test_local_workers import sleep
from gapwise.workers.local import LocalProcesses
if __name__ == "__main__":
    workers = LocalProcesses(2)
    for key in "ab":
        workers.submit(key, sleep, 60.0)
    print(*workers.processes, flush=True)
    time.sleep(60)
"""


def test_w7_workers_go_when_their_parent_is_killed(tmp_path: Any) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT.format(here=os.path.dirname(__file__)))  # noqa: PTH120
    parent = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    time.sleep(1.0)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while any(psutil.pid_exists(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_calls_in_this_process_tell_the_same(workers: LocalProcesses) -> None:
    here = InProcess()
    here.submit("a", double, 4)
    assert here.wait(1.0) == [Done(key="a", value=8)]
    here.submit("b", refuse, "no memory")
    (done,) = here.wait(1.0)
    assert isinstance(done, Done)
    assert done.failure is not None
    assert done.failure.out_of_memory
    here.stop()
    here.submit("c", until_stopped, None)
    assert here.wait(1.0)[0].failure.stopped  # type: ignore[union-attr]


def test_words_that_name_no_place_are_refused() -> None:
    for word in ("many", "0", "-1", "rays://x"[1:]):
        if word == "ays://x" or not word.startswith("ray"):
            with (
                pytest.raises(UsageError, match="write how many local processes"),
                open_workers(word, "cpu", 2),
            ):
                pass


def test_an_error_of_any_kind_becomes_one_line() -> None:
    failure = failure_of(KeyError("a\nb"))
    assert failure.message == "KeyError: 'a\\nb'"
    assert not failure.is_told
