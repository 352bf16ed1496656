"""C3: one trainer a run; the second is told who, where and since when."""

import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gapwise.errors import BusyError
from gapwise.tracking import lock as locks
from gapwise.tracking.lock import RunLock, is_held

HOLD = """
import sys, time
from pathlib import Path
from gapwise.tracking.lock import RunLock
RunLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def holder(path: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", HOLD, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_c3_second_is_refused_with_process_host_and_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as process:
        assert is_held(path)
        with pytest.raises(BusyError) as refused:
            RunLock(path).acquire()
        process.kill()
        process.communicate()
    told = re.escape(f"in use by process {process.pid} on {socket.gethostname()} since 20")
    assert re.search(told, str(refused.value))
    assert not is_held(path)
    RunLock(path).acquire()


def test_k2_lock_goes_with_a_killed_holder_whose_forked_workers_live(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    script = HOLD.replace(
        'print("held", flush=True)',
        'import os\nchild = os.fork()\nif child: print("held", flush=True)',
    )
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 5
        while is_held(path) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not is_held(path)
        os.killpg(process.pid, signal.SIGKILL)


def test_a_look_does_not_refuse_a_trainer(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = RunLock(path)
    lock.acquire()
    lock.release()
    looker = multiprocessing.get_context("spawn").Process(target=_look_for, args=(path, 1.0))
    looker.start()
    for _ in range(50):
        lock.acquire()  # raises where a look is taken for a trainer
        lock.release()
    looker.join()
    assert looker.exitcode == 0


def _look_for(path: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        is_held(path)


def test_a_holder_on_another_host_goes_by_age(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text(json.dumps({"pid": 1, "host": "elsewhere", "boot": "", "since": 0.0}))
    assert is_held(path)
    old = time.time() - locks.STALE_AFTER - 1
    os.utime(path, (old, old))
    assert not is_held(path)
