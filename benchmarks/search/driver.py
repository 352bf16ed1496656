"""What the driver costs a trial, and what asking costs, at 1,000 and at 10,000 trials.

    python -m benchmarks.search.driver [--trials 10000]

Eight null workers, whose jobs give their curve at once, three rungs, events in SQLite with every
commit on disk. The driver draws at random, so that its own cost is told apart from the samplers',
which are asked on the trials that it left.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from gapwise.pipeline_search import Searched
from gapwise.search.driver import Driver
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, RoundState, State, Trial
from gapwise.search.plan import RoundPlan, SearchPlan, Shown
from gapwise.search.region import whole
from gapwise.search.space import read_space
from gapwise.search.suggest import suggest
from gapwise.workers.in_process import InProcess

SPACE = read_space({f"knob{i}": Searched(scale="log", low=1e-4, high=1.0) for i in range(6)})
ASKS = 100


class Null(InProcess):
    """Eight slots whose jobs take no time."""

    slots = 8


class Jobs:
    """A curve that depends on the setting alone."""

    sharing = None

    def call(self, trial: Trial, epochs: int) -> tuple[Any, Any]:
        """Return the job."""
        return _curve, (trial.point["knob0"], epochs)

    def read(self, value: list[float]) -> Shown:
        """Read it."""
        return Shown(epochs=len(value), curve=tuple(value), is_over=False, facts={})


def _curve(argument: tuple[float, int], context: Any) -> list[float]:
    place, epochs = argument
    return [0.1 + 0.5 * (place - 0.4) ** 2 + 0.1 / epoch for epoch in range(1, epochs + 1)]


def run(trials: int) -> tuple[list[float], State]:
    """Return the moment that each trial was asked at, and what was found."""
    plan = SearchPlan(
        space=SPACE,
        rounds=(RoundPlan(trials=trials, sampler="random"),),
        rungs=(1, 3, 9),
        eta=3,
        seed=0,
    )
    asked: list[float] = []

    def hear(state: State, event: Any) -> None:
        if isinstance(event, Event) and event.kind == "asked":
            asked.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        log = EventLog(f"sqlite:///{Path(folder) / 'searches.db'}")
        log.append("s", 0, [Event(kind="opened", facts={})])
        state = Driver(plan, "s", log, Null(), Jobs(), hear).run()
    return asked, state


def asking(state: State, sampler: str, seen: int) -> list[float]:
    """Return the milliseconds of some asks after ``seen`` trials."""
    trials = state.trials[:seen]
    round_ = RoundState(number=0, trials=seen + ASKS, sampler=sampler, region=whole(SPACE), first=0)
    found = []
    for number in range(seen, seen + ASKS):
        began = time.perf_counter()
        suggest(SPACE, round_, trials, number, 0)
        found.append(1000 * (time.perf_counter() - began))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    trials = parser.parse_args().trials
    asked, state = run(trials)
    gaps = 1000 * np.diff(asked)
    print("| what | at 1,000 trials | at the end |")
    print("| --- | --- | --- |")
    first, last = gaps[500:1000], gaps[-500:]
    print(f"| driver, ms a trial, mean | {first.mean():.2f} | {last.mean():.2f} |")
    for sampler in ("sobol", "tpe", "gp"):
        cells = []
        for seen in (1000, trials):
            took = asking(state, sampler, seen)
            cells.append(f"median {np.median(took):.1f} ms, p99 {np.quantile(took, 0.99):.1f} ms")
        print(f"| ask {sampler} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
