"""Trials that share a call: alike ones alone, all or nothing, and the same after a restart."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gapwise.errors import TrainingError
from gapwise.pipeline_search import Searched
from gapwise.search.driver import Driver
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, State, Trial, replay
from gapwise.search.plan import RoundPlan, SearchPlan, Shown
from gapwise.search.space import read_space
from gapwise.workers.base import Context, Failure, News, failure_of
from gapwise.workers.in_process import InProcess

SPACE = read_space(
    {
        "lr": Searched(scale="log", low=1e-4, high=1.0),
        "units": Searched(choices=(16, 32)),
    }
)
MOST = 4


def curve(parameters: dict[str, Any], epochs: int) -> list[float]:
    far = (math.log10(parameters["lr"]) + 2) ** 2 * 0.05
    return [min(1.0, 0.1 + far + 0.3 / epoch) for epoch in range(1, epochs + 1)]


def train(argument: tuple[dict[str, Any], int], context: Context) -> list[float]:
    return curve(*argument)


def train_several(
    argument: tuple[list[dict[str, Any]], int], context: Context
) -> list[list[float] | Failure]:
    several, epochs = argument
    return [
        failure_of(TrainingError("a loss is NaN")) if one["lr"] > 0.3 else curve(one, epochs)
        for one in several
    ]


def break_several(argument: Any, context: Context) -> Any:
    raise RuntimeError("a worker broke")


class Sharing:
    most = MOST

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.calls: list[list[Trial]] = []

    def shape(self, trial: Trial) -> str:
        return str(trial.parameters["units"])

    def call(self, trials: Sequence[Trial], epochs: int) -> tuple[Any, Any]:
        self.calls.append(list(trials))
        return self.function, ([dict(trial.parameters) for trial in trials], epochs)

    def read(self, value: list[list[float] | Failure]) -> list[Shown | Failure]:
        return [one if isinstance(one, Failure) else shown(one) for one in value]


def shown(value: list[float]) -> Shown:
    return Shown(epochs=len(value), curve=tuple(value), is_over=False, facts={})


class Jobs:
    def __init__(self, function: Callable[..., Any] | None = train_several) -> None:
        self.sharing = None if function is None else Sharing(function)
        self.alone = 0

    def call(self, trial: Trial, epochs: int) -> tuple[Any, Any]:
        self.alone += 1
        return train, (dict(trial.parameters), epochs)

    def read(self, value: list[float]) -> Shown:
        return shown(value)


@pytest.fixture
def new_log(tmp_path: Path) -> Callable[[str], EventLog]:
    def make(name: str) -> EventLog:
        log = EventLog(f"sqlite:///{tmp_path / name}.db")
        log.append("s", 0, [Event(kind="opened", facts={})])
        return log

    return make


def plan(*samplers: str, trials: int = 18) -> SearchPlan:
    rounds = tuple(RoundPlan(trials=trials, sampler=one) for one in samplers)
    return SearchPlan(space=SPACE, rounds=rounds, rungs=(1, 3, 9), eta=3, seed=5, examples=500)


def run(log: EventLog, jobs: Jobs, *samplers: str) -> State:
    return Driver(plan(*samplers), "s", log, InProcess(), jobs).run()


def told(state: State) -> list[tuple[Any, ...]]:
    return [(t.number, dict(t.parameters), t.state, t.value, t.epochs) for t in state.trials]


def test_trials_of_one_shape_share_calls(new_log: Callable[[str], EventLog]) -> None:
    jobs = Jobs()
    state = run(new_log("shared"), jobs, "sobol")
    assert jobs.sharing is not None
    assert {trial.state for trial in state.trials} == {"done", "stopped", "failed"}
    sizes = [len(call) for call in jobs.sharing.calls]
    assert max(sizes) == MOST
    assert sum(sizes) > jobs.alone
    for call in jobs.sharing.calls:
        assert len({trial.parameters["units"] for trial in call}) == 1


def test_one_that_fails_leaves_those_beside_it_alone(new_log: Callable[[str], EventLog]) -> None:
    jobs = Jobs()
    state = run(new_log("shared"), jobs, "sobol")
    assert jobs.sharing is not None
    shared = {trial.number for call in jobs.sharing.calls for trial in call}
    failed = {t.number for t in state.trials if t.state == "failed"}
    assert failed == {n for n in shared if state.trials[n].parameters["lr"] > 0.3}
    assert failed
    assert all(state.trials[n].reason == "a loss is NaN" for n in failed)


def test_a_call_that_breaks_is_taken_apart(new_log: Callable[[str], EventLog]) -> None:
    jobs = Jobs(break_several)
    state = run(new_log("shared"), jobs, "sobol")
    assert {trial.state for trial in state.trials} == {"done", "stopped"}
    assert jobs.sharing is not None
    assert jobs.sharing.calls


def test_what_learns_from_results_draws_one_by_one(new_log: Callable[[str], EventLog]) -> None:
    log = new_log("shared")
    jobs = Jobs()
    run(log, jobs, "sobol", "tpe")
    most_running = 0
    state = State()
    for event in log.read("s"):
        state.apply(event)
        if len(state.rounds) == 2:
            most_running = max(most_running, len(state.running))
    assert most_running == 1


def test_one_that_is_cut_off_after_any_event_shares_alike(
    new_log: Callable[[str], EventLog],
) -> None:
    whole = run(new_log("whole"), Jobs(), "sobol", "random")
    log = new_log("cut")

    class CutError(Exception):
        pass

    def cut(state: State, event: Event | News) -> None:
        if state.count % 5 == 0:
            raise CutError

    for _ in range(100):
        try:
            Driver(plan("sobol", "random"), "s", log, InProcess(), Jobs(), cut).run()
            break
        except CutError:
            continue
    assert told(replay(log.read("s"))) == told(whole)
