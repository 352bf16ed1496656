"""A backup of a gigabyte while people tag and a run is trained: how long, and is it all there?

    python -m benchmarks.backup [MIB] [LEDGER_URL RESTORED_URL]

Eight people tag five times a second each, a trainer writes points and checkpoints; meanwhile the
home is backed up, and then restored elsewhere. Without URLs both ledgers are SQLite, with them
PostgreSQL's (two empty databases).
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gapwise.ledger import tags
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.upkeep import Upkeep
from gapwise.workflows import backup
from gapwise.workflows.move import embedded

PEOPLE, A_SECOND, RUNS = 8, 5, 20


def main() -> None:
    """Print what was saved, how fast, and what came back."""
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    urls = sys.argv[2:4]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings, other = _home(folder / "home", urls[:1]), _home(folder / "new", urls[1:])
        for _ in range(RUNS):
            _run(settings, mib * 2**20 // RUNS)
        over = threading.Event()
        taken: list[float] = []
        busy = [threading.Thread(target=_person, args=(settings, i, over, taken))
                for i in range(PEOPLE)]  # fmt: skip
        busy.append(threading.Thread(target=_trainer, args=(settings, over)))
        for one in busy:
            one.start()
        time.sleep(2.0)
        saved, made = _timed(lambda: backup.back_up(folder / "saved", settings))
        over.set()
        for one in busy:
            one.join()
        brought, _ = _timed(lambda: backup.restore(folder / "saved", other))
        proved = Upkeep(other).prove()
        _equal(settings, other, made["events"])
        p99 = 1000 * float(np.quantile(taken, 0.99))
        where = settings.ledger_url.partition(":")[0]
        size = f"{made['bytes'] / 2**20:,.0f} MiB, {made['runs']} runs, {made['events']:,} events"
        print(f"ledger on {where}, {PEOPLE} people × {A_SECOND} tags a second")
        print(f"backup   {size}: {saved:.1f} s")
        print(f"restore  {brought:.1f} s; {proved} files of runs hold, the chain is what was saved")
        print(f"meanwhile {len(taken):,} tags were saved, p99 {p99:.0f} ms")


def _home(home: Path, url: list[str]) -> Settings:
    settings = replace(embedded(home), mirror=False)
    return replace(settings, ledger_url=url[0]) if url else settings


def _run(settings: Settings, size: int) -> None:
    with RunStore(settings).create(
        experiment="e", name=None, kind="train", seed=0, group=None, dataset="d"
    ) as writer:
        for step in range(500):
            writer.log_metric("loss", 1 / (step + 1), step)
        weights = writer.folder / "weights.bin"
        weights.write_bytes(os.urandom(size))
        writer.log_file(weights)
        writer.finish("FINISHED")


def _person(settings: Settings, number: int, over: threading.Event, taken: list[float]) -> None:
    ledger = Ledger(settings.ledger_url)
    turn = 0
    while not over.wait(1 / A_SECOND):
        before = time.perf_counter()
        ledger.append_all([tags.tagged("d", f"x{turn}", "thin", author=f"p{number}")])
        taken.append(time.perf_counter() - before)
        turn += 1


def _trainer(settings: Settings, over: threading.Event) -> None:
    with RunStore(settings).create(
        experiment="e", name="live", kind="train", seed=0, group=None, dataset="d"
    ) as writer:
        step = 0
        while not over.wait(0.01):
            writer.log_metric("loss", 1 / (step + 1), step)
            step += 1
        writer.finish("FINISHED")


def _equal(settings: Settings, other: Settings, events: int) -> None:
    before = [one.hash for one in Ledger(settings.ledger_url).events()][:events]
    assert [one.hash for one in Ledger(other.ledger_url).events()] == before
    ended = set(RunStore(settings).rows()["run_id"])
    assert set(RunStore(other).rows()["run_id"]) == ended


def _timed(act: Callable[[], dict[str, Any]]) -> tuple[float, dict[str, Any]]:
    before = time.perf_counter()
    found = act()
    return time.perf_counter() - before, found


if __name__ == "__main__":
    main()
