"""A record of searches on a full disk, torn or overwritten: told, repaired, gone on (FAULTS S4)."""

import math
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gapwise.errors import StorageError
from gapwise.pipeline_search import Searched
from gapwise.search.driver import Driver
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, State, Trial, replay
from gapwise.search.plan import RoundPlan, SearchPlan, Shown
from gapwise.search.space import read_space
from gapwise.settings import Settings
from gapwise.workers.base import Context
from gapwise.workers.in_process import InProcess
from gapwise.workflows.doctor import examine

PLAN = SearchPlan(
    space=read_space({"lr": Searched(scale="log", low=1e-4, high=1.0)}),
    rounds=(RoundPlan(trials=60, sampler="sobol"), RoundPlan(trials=20, sampler="random")),
    rungs=(1, 3, 9),
    eta=3,
    seed=5,
    examples=500,
)

FULL = """
import resource, sys
from gapwise.errors import StorageError
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event

log, at = EventLog(sys.argv[1]), int(sys.argv[2])
size = log.file.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, resource.RLIM_INFINITY))
try:
    while True:
        log.append("s", at, [Event(kind="lost", trial=0, facts={"why": "x" * 900})])
        at += 1
except StorageError as error:
    print(at, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.append("s", at, [Event(kind="lost", trial=0, facts={"why": "there is space again"})])
"""


def objective(argument: tuple[dict[str, Any], int], context: Context) -> list[float]:
    parameters, epochs = argument
    far = (math.log10(parameters["lr"]) + 2) ** 2 * 0.05
    return [min(1.0, 0.1 + far + 0.3 / epoch) for epoch in range(1, epochs + 1)]


class Jobs:
    sharing = None

    def call(self, trial: Trial, epochs: int) -> tuple[Any, Any]:
        return objective, (dict(trial.parameters), epochs)

    def read(self, value: list[float]) -> Shown:
        return Shown(epochs=len(value), curve=tuple(value), is_over=False, facts={})


def searched(log: EventLog, study: str) -> State:
    if not log.read(study):
        log.append(study, 0, [Event(kind="opened", facts={})])
    return Driver(PLAN, study, log, InProcess(), Jobs()).run()


def told(state: State) -> list[tuple[Any, ...]]:
    return [(t.number, dict(t.parameters), t.state, t.value) for t in state.trials]


@pytest.fixture
def log(home: Path) -> EventLog:
    found = EventLog(Settings.read().studies_url)
    for study in ("a", "b"):
        searched(found, study)
    return found


def noise(file: Path, at: float) -> None:
    """Write noise over two pages."""
    with file.open("r+b") as stream:
        stream.seek(int(at * file.stat().st_size) // 4096 * 4096)
        stream.write(bytes(range(1, 256)) * 32)


def noise_in_the_middle(file: Path) -> None:
    noise(file, 0.5)


def noise_near_the_end(file: Path) -> None:
    noise(file, 0.8)


def cut(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.truncate(int(0.6 * file.stat().st_size))


def one_gone(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM gapwise_search_events WHERE study = 'b' AND position = 30")


def one_torn(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "UPDATE gapwise_search_events SET facts = substr(facts, 1, 7) "
            "WHERE study = 'b' AND position = 30"
        )


def test_x1_s4_a_full_disk_is_told_loses_nothing_and_it_goes_on(home: Path) -> None:
    url = Settings.read().studies_url
    log = EventLog(url)
    log.append("s", 0, [Event(kind="opened", facts={})])
    done = subprocess.run(
        [sys.executable, "-c", FULL, url, "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    count, _, says = done.stdout.partition(" ")
    assert "searches.db cannot be used:" in says
    assert "nothing was saved" in says
    events = log.read("s")
    # All that were acknowledged, and the one after there was space again.
    assert len(events) == int(count) + 1 > 5
    assert events[-1].facts["why"] == "there is space again"
    assert log.verify() == len(events)


@pytest.mark.parametrize("harm", [cut, one_gone, one_torn, noise_in_the_middle, noise_near_the_end])
def test_s4_a_damaged_record_is_told_and_repaired_and_the_search_finds_the_same(
    log: EventLog, harm: Callable[[Path], None]
) -> None:
    file = log.file
    assert file is not None
    before = {study: log.read(study) for study in ("a", "b")}
    harm(file)
    report = examine()
    (found,) = [check for check in report["checks"] if check["name"] == "searches"]
    assert not report["healthy"]
    assert "damaged" in found["says"]
    assert "gapwise doctor --repair saves what can be read" in found["says"]

    report = examine(repairs=True)
    (found,) = [check for check in report["checks"] if check["name"] == "searches"]
    assert found["ok"], found
    assert "the damaged file is kept as" in found["says"]
    assert len(list(file.parent.glob("damaged-*-searches.db"))) == 1
    whole = EventLog(Settings.read().studies_url)
    saved = {study: whole.read(study) for study in ("a", "b")}
    assert sum(map(len, saved.values())) > 30
    for study, events in saved.items():
        assert events == before[study][: len(events)]
    for study in ("a", "b"):
        assert told(searched(whole, study)) == told(replay(before[study]))
    assert examine()["healthy"]


def test_s4_a_file_of_something_else_is_put_aside(log: EventLog) -> None:
    file = log.file
    assert file is not None
    file.write_bytes(b"not a database at all " * 500)
    says = r"is damaged \(file is not a database\); gapwise doctor"
    with pytest.raises(StorageError, match=says):
        EventLog(Settings.read().studies_url).studies()
    examine(repairs=True)
    assert EventLog(Settings.read().studies_url).studies() == []


def test_k6_a_newer_record_of_searches_is_refused(home: Path) -> None:
    log = EventLog(Settings.read().studies_url)
    log.append("s", 0, [Event(kind="asked", trial=0, facts={"lr": 0.1})])
    assert log.file is not None
    with closing(sqlite3.connect(log.file)) as connection, connection:
        connection.execute("UPDATE gapwise_search_version SET version = '0999'")
    again = EventLog(Settings.read().studies_url)
    for act in (again.verify, lambda: again.read("s"), again.studies):
        with pytest.raises(StorageError, match=r"has schema 0999.*pip install --upgrade gapwise"):
            act()


def test_k6_events_of_before_there_were_seals_are_read(home: Path) -> None:
    log = EventLog(Settings.read().studies_url)
    log.append("s", 0, [Event(kind="asked", trial=0, facts={"lr": 0.1})])
    assert log.file is not None
    with closing(sqlite3.connect(log.file)) as connection, connection:
        connection.execute("""UPDATE gapwise_search_events SET facts = '{"lr": 0.25}'""")
    assert log.read("s")[0].facts == {"lr": 0.25}
