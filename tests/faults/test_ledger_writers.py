"""G1, G2: many writers at once, killed writers: every acknowledged event is there, once."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from gapwise.ledger.ledger import Ledger

WRITER = """
import sys
from gapwise.ledger.ledger import Ledger
url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
ledger = Ledger(url)
for number in range(count):
    event = ledger.append(dataset="d", example_id=str(number), kind="tag",
                          value={"writer": name, "number": number}, author=name,
                          key=f"{name}-{number}")
    print(event.key, event.seq, flush=True)
"""


def start(url: str, name: str, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, url, name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def acknowledged(output: str) -> dict[str, int]:
    lines = (line.split() for line in output.splitlines() if line.count(" ") == 1)
    return {key: int(seq) for key, seq in lines}


def check(ledger: Ledger, told: dict[str, int]) -> Counter[str]:
    events = ledger.events()
    keys = Counter(event.key for event in events)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert max(keys.values()) == 1
    assert {key: seq for key, seq in told.items() if keys[key] != 1} == {}
    assert {event.key: event.seq for event in events}.items() >= told.items()
    assert ledger.verify() == len(events)
    for author in {event.author for event in events}:
        numbers = [event.value["number"] for event in events if event.author == author]
        assert numbers == sorted(numbers)
    return keys


def check_writers_together(url: str, writers: int, count: int) -> None:
    processes = [start(url, f"w{number}", count) for number in range(writers)]
    told: dict[str, int] = {}
    for process in processes:
        output, _ = process.communicate()
        assert process.returncode == 0
        told |= acknowledged(output)
    keys = check(Ledger(url), told)
    assert len(keys) == len(told) == writers * count


def check_killed_writers(url: str, kills: int) -> None:
    ledger = Ledger(url)
    ledger.append(dataset="d", kind="tag", value={"number": 0}, author="first", key="first")
    told: dict[str, int] = {}
    running: list[subprocess.Popen[str]] = []
    for kill in range(kills):
        running += [start(url, f"k{kill}-{len(running)}", 100_000) for _ in range(2 - len(running))]
        victim = running.pop(0)
        assert victim.stdout is not None
        first = victim.stdout.readline()
        time.sleep(random.Random(kill).uniform(0, 0.15))
        victim.kill()
        told |= acknowledged(first + victim.communicate()[0])
    for process in running:
        process.kill()
        told |= acknowledged(process.communicate()[0])
    keys = check(ledger, told)
    assert len(told) >= kills
    assert len(keys) - len(told) <= kills + 2  # unacknowledged ones: at most one a writer


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    return str(request.getfixturevalue("postgresql"))


def test_g1_writers_at_once(url: str) -> None:
    check_writers_together(url, writers=8, count=60)


def test_g2_killed_writers(url: str) -> None:
    check_killed_writers(url, kills=8)


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_g1_32_writers_100_000_events(url: str) -> None:
    check_writers_together(url, writers=32, count=3125)


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_g2_100_kills(url: str) -> None:
    check_killed_writers(url, kills=100)


def check_backups(folder: Path, backups: int) -> None:
    url = f"sqlite:///{folder}/ledger.db"
    ledger = Ledger(url)
    ledger.append(dataset="d", kind="tag", value={"number": 0}, author="first")
    writers = [start(url, f"b{number}", 100_000) for number in range(3)]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline()
        counts = []
        for number in range(backups):
            time.sleep(0.05)
            counts.append(ledger.back_up(folder / f"{number}.db"))
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
    whole = ledger.events()
    for number, count in enumerate(counts):
        copy = Ledger(f"sqlite:///{folder}/{number}.db")
        assert copy.events() == whole[:count]
    # A restored copy is a ledger that goes on.
    restored = Ledger(f"sqlite:///{folder}/0.db")
    restored.append(dataset="d", kind="tag", value={"number": 0}, author="first")
    assert restored.verify() == counts[0] + 1


def test_g10_backups_while_writing(tmp_path: Path) -> None:
    check_backups(tmp_path, backups=4)


@pytest.mark.faults
def test_g10_20_backups_while_writing(tmp_path: Path) -> None:
    check_backups(tmp_path, backups=20)
