"""Hours of search, training, tagging and browsing: does anything grow that should not?

    python -m benchmarks.long_run [--minutes 240]

One home, one server. A person tags through the desk's route and opens pages in turn; beside that,
trainings and searches follow one another in processes of their own. Every half minute the server's
memory, files, threads and children are noted, and how long its pages took. At the end the first and
the last quarter stand side by side, with what was left behind: processes, locks, drafts.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks import servers
from benchmarks.browsers import PAGES, opened, seconds_of, tag, trained, wrong

EVERY = 30.0
"""Seconds between looks at the server."""

WORKS = (
    ("train", "digits", "training.epochs=5"),
    ("search", "digits", "search.rounds=[{trials: 6}]"),
    ("train", "digits", "training.epochs=5", "data.synthesize=camera"),
)


@dataclass(frozen=True)
class Look:
    """What the server held at one moment."""

    mib: float
    files: int
    threads: int
    children: int


def look(process: psutil.Process) -> Look:
    """Look at a process."""
    return Look(
        mib=process.memory_info().rss / 2**20,
        files=process.num_fds(),
        threads=process.num_threads(),
        children=len(process.children()),
    )


class Person:
    """Opens pages and tags, until told to stop; keeps how long each took."""

    def __init__(self, address: str, run: str, until: float) -> None:
        self._address, self._run, self.until = address, run, until
        self.pages: list[float] = []
        self.saves: list[float] = []

    async def live(self) -> None:
        """Do it."""
        async with opened(self._address) as (session, socket):
            ids = await wrong(session, self._address, self._run)
            for turn, page in enumerate(self._turns()):
                self.pages.append(await seconds_of(socket, page))
                for _ in range(5):
                    example = ids[turn % len(ids)]
                    self.saves.append(await tag(session, self._address, self._run, example))
                    await asyncio.sleep(0.3)

    def _turns(self) -> Iterator[str]:
        turn = 0
        while time.monotonic() < self.until:
            yield PAGES[turn % len(PAGES)]
            turn += 1


async def work(until: float, environment: dict[str, str]) -> int:
    """Let trainings and searches follow one another; return how many ended well."""
    done = 0
    while time.monotonic() < until:
        words = (*WORKS[done % len(WORKS)], f"seed={done}")
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gapwise", *words, env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if await child.wait() != 0:
            raise SystemExit(f"{' '.join(words)} failed")
        done += 1
    return done


async def watch(process: psutil.Process, until: float) -> list[Look]:
    """Look at the server now and then."""
    looks = []
    while time.monotonic() < until:
        await asyncio.sleep(EVERY)
        looks.append(look(process))
    return looks


def told(name: str, values: Sequence[float], unit: str) -> str:
    """Return a row of the table: first and last quarter."""
    quarter = max(1, len(values) // 4)
    first, last = np.median(values[:quarter]), np.median(values[-quarter:])
    return f"| {name} | {first:.2f} {unit} | {last:.2f} {unit} |"


def main() -> None:
    """Print what grew and what was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=240.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"GAPWISE_HOME": home, "OMP_NUM_THREADS": "1"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        run = trained(environment)
        with servers.dashboard(environment) as (address, process):
            person = Person(address, run, time.monotonic() + 60 * options.minutes)
            counts = asyncio.run(_all(person, process, environment))
        left = [path for path in Path(home).rglob(".*") if path.name != ".mark"]
        ours = [one for one in psutil.process_iter(["cmdline"]) if home in str(one.info)]
        print(f"{counts}; left behind: {len(left)} drafts, {len(ours)} processes")


async def _all(person: Person, process: psutil.Process, environment: dict[str, str]) -> str:
    begun, until = time.monotonic(), person.until
    looks, works, _ = await asyncio.gather(
        watch(process, until), work(until, environment), person.live()
    )
    print(f"| over {(until - begun) / 60:.0f} min | first quarter | last quarter |")
    print("| --- | --- | --- |")
    print(told("memory of the server", [one.mib for one in looks], "MiB"))
    print(told("open files", [one.files for one in looks], ""))
    print(told("threads", [one.threads for one in looks], ""))
    print(told("children", [one.children for one in looks], ""))
    print(told("a page", person.pages, "s"))
    print(told("a save", [1000 * one for one in person.saves], "ms"))
    return f"{works} trainings and searches, {len(person.pages)} pages, {len(person.saves)} saves"


if __name__ == "__main__":
    main()
