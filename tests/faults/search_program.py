"""A search of a quick objective as a program of its own, for tests that kill it.

    python search_program.py URL WORKERS TRIALS

Prints a line for each event. Called again it goes on.
"""

import math
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from gapwise.pipeline_search import Searched
from gapwise.search.driver import Driver
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, State, Trial
from gapwise.search.plan import RoundPlan, SearchPlan, Shown
from gapwise.search.space import read_space
from gapwise.workers import ray_head
from gapwise.workers.base import Context, Failure, Workers
from gapwise.workers.in_process import InProcess
from gapwise.workers.local import LocalProcesses
from gapwise.workers.ray_cluster import RayCluster

STUDY = "quick"
RUNGS = (1, 3, 9)

SPACE = read_space(
    {
        "lr": Searched(scale="log", low=1e-4, high=1.0),
        "units": Searched(scale="power-of-two", low=8, high=128),
        "norm": Searched(choices=("none", "before")),
        "dropout": Searched(low=0.0, high=0.6, when={"norm": "none"}),
    }
)


def plan(trials: int) -> SearchPlan:
    coarse = trials // 2
    rounds = (
        RoundPlan(trials=coarse, sampler="sobol"),
        RoundPlan(trials=trials - coarse, sampler="tpe"),
    )
    return SearchPlan(space=SPACE, rounds=rounds, rungs=RUNGS, eta=3, seed=7, examples=1000)


def objective(argument: tuple[dict[str, Any], int], context: Context) -> list[float]:
    parameters, epochs = argument
    far = (math.log10(parameters["lr"]) + 2) ** 2 * 0.05
    far += 0.02 * (parameters["norm"] == "none") + 0.01 * math.log2(parameters["units"] / 32) ** 2
    far += 0.05 * parameters.get("dropout", 0.0)
    curve = []
    for epoch in range(1, epochs + 1):
        time.sleep(0.003)
        curve.append(min(1.0, 0.1 + far + 0.4 / epoch))
    return curve


def objectives(
    several: Sequence[tuple[dict[str, Any], int]], context: Context
) -> list[list[float]]:
    return [objective(one, context) for one in several]


class QuickSharing:
    """Trials of one norm share a call: three of a round that draws them all at once."""

    most = 3

    def shape(self, trial: Trial) -> str:
        return str(trial.parameters["norm"])

    def call(self, trials: Sequence[Trial], epochs: int) -> tuple[Any, Any]:
        return objectives, [(dict(trial.parameters), epochs) for trial in trials]

    def read(self, value: list[list[float]]) -> list[Shown | Failure]:
        return [QuickJobs().read(one) for one in value]


class QuickJobs:
    sharing = QuickSharing()

    def call(self, trial: Trial, epochs: int) -> tuple[Any, Any]:
        return objective, (dict(trial.parameters), epochs)

    def read(self, value: list[float]) -> Shown:
        return Shown(epochs=len(value), curve=tuple(value), is_over=False, facts={})


def place_of(workers: str) -> Workers:
    if workers == "0":
        return InProcess()
    if workers.startswith("ray"):
        cluster = RayCluster("ray", "cpu")
        return OneAtATime(cluster) if workers == "ray-one" else cluster
    return LocalProcesses(int(workers))


class OneAtATime:
    """A cluster with one job in flight."""

    slots = 1

    def __init__(self, cluster: RayCluster) -> None:
        self.submit, self.wait = cluster.submit, cluster.wait
        self.stop, self.close = cluster.stop, cluster.close


def run(url: str, workers: str, trials: int) -> State:
    log = EventLog(url)
    if not log.read(STUDY):
        log.append(STUDY, 0, [Event(kind="opened", facts={"seed": 7})])
    place = place_of(workers)

    def hear(state: State, event: Any) -> None:
        sys.stdout.write(getattr(event, "kind", "news") + "\n")
        sys.stdout.flush()

    try:
        return Driver(plan(trials), STUDY, log, place, QuickJobs(), hear).run()
    finally:
        place.close()


if __name__ == "__main__":
    ray_head.AWAY_FOR = float(os.environ.get("AWAY_FOR", ray_head.AWAY_FOR))  # type: ignore[misc]
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    sys.stdout.write("over\n")
