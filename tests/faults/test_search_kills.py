"""A search whose workers and driver are killed at random times loses nothing (FAULTS S1, S2, S5).

The seed of the kills is printed; ``GAPWISE_TEST_SEED`` sets it.
"""

import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, State, replay

PROGRAM = Path(__file__).with_name("search_program.py")


def loaded() -> ModuleType:
    found = importlib.util.spec_from_file_location("search_program", PROGRAM)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def begin(url: str, workers: int, trials: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), url, str(workers), str(trials)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def kill_at_random(draw: random.Random, url: str, workers: int, trials: int, kills: int) -> int:
    """Kill the driver or a worker until ``kills`` are done or the search is over; count them."""
    done = 0
    while done < kills:
        driver = begin(url, workers, trials)
        assert driver.stdout is not None
        driver.stdout.readline()  # it has begun: what follows hits its work, not its imports
        while done < kills and driver.poll() is None:
            time.sleep(draw.uniform(0.0, 0.12))
            victims = [driver.pid]
            if workers and draw.random() < 0.6:
                victims = workers_of(driver.pid) or victims
            victim = draw.choice(victims)
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                break
            done += 1
            if victim == driver.pid:
                break
            time.sleep(draw.uniform(0.0, 0.3))
        children = psutil.Process(driver.pid).children() if driver.poll() is None else []
        driver.kill()
        driver.communicate()
        _, alive = psutil.wait_procs(children, timeout=5)
        assert not alive, alive
        if over(EventLog(url)):
            break
    return done


def workers_of(pid: int) -> list[int]:
    try:
        children = psutil.Process(pid).children()
        return [c.pid for c in children if "resource_tracker" not in " ".join(c.cmdline())]
    except psutil.NoSuchProcess:
        return []


def over(log: EventLog) -> bool:
    state = replay(log.read("quick"))
    return len(state.rounds) == 2 and not state.running and len(state.trials) >= 1


def finish(url: str, workers: int, trials: int) -> list[Event]:
    driver = begin(url, workers, trials)
    out, err = driver.communicate(timeout=240)
    assert driver.returncode == 0, err.decode()
    assert out.splitlines()[-1] == b"over"
    return EventLog(url).read("quick")


def check(events: list[Event], trials: int) -> State:
    """Every trial that was asked has one end, and one result a rung at most."""
    state = replay(events)
    assert len(state.trials) == trials
    assert not state.running
    results = Counter((e.trial, e.facts["rung"]) for e in events if e.kind == "result")
    assert max(results.values()) == 1
    assert {trial.state for trial in state.trials} <= {"done", "stopped", "failed"}
    # A trial may be given up only after it took its worker with it again and again.
    lost = Counter(e.trial for e in events if e.kind == "lost")
    assert all(lost[t.number] >= 3 for t in state.trials if t.state == "failed")
    return state


def told(state: State) -> list[tuple[object, ...]]:
    return [(t.number, dict(t.parameters), t.state, t.value, t.epochs) for t in state.trials]


def survives(tmp_path: Path, kills: int, workers: Sequence[int], trials: int) -> list[State]:
    """Return what searches found that were killed so often in all, each checked when it ended."""
    seed = int(os.environ.get("GAPWISE_TEST_SEED", time.time_ns() % 10_000))
    print(f"GAPWISE_TEST_SEED={seed}")  # noqa: T201 - a failure must be repeatable
    draw, left, found = random.Random(seed), kills, []
    while left:
        count = workers[len(found) % len(workers)]
        url = f"sqlite:///{tmp_path / f'searches-{len(found)}.db'}"
        done = kill_at_random(draw, url, count, trials, left)
        found.append(check(finish(url, count, trials), trials))
        assert done, "a search ended before it could be killed once"
        left -= done
    return found


def test_s1_s2_s5_25_kills_with_one_job_in_flight_it_finds_what_an_untouched_one_finds(
    tmp_path: Path,
) -> None:
    trials = 240
    untouched = loaded().run(f"sqlite:///{tmp_path / 'calm.db'}", "0", trials)
    for state in survives(tmp_path, kills=25, workers=[0], trials=trials):
        assert told(state) == told(untouched)
        assert [r.region for r in state.rounds] == [r.region for r in untouched.rounds]


def test_s1_w1_25_killed_workers_and_drivers_lose_no_trial(tmp_path: Path) -> None:
    for state in survives(tmp_path, kills=25, workers=[2], trials=160):
        assert [trial.number for trial in state.trials] == list(range(160))
        assert not state.running


@pytest.mark.faults
def test_s1_s2_500_kills(tmp_path: Path) -> None:
    for state in survives(tmp_path, kills=500, workers=[0, 2, 3, 4], trials=300):
        assert [trial.number for trial in state.trials] == list(range(300))
        assert not state.running
