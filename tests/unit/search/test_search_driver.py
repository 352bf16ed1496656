"""The driver: rounds, decisions, failures, restarts (FAULTS S5 to S8, T5)."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gapwise.errors import (
    BusyError,
    CheckError,
    MemoryShortError,
    StoppedError,
    StorageError,
    TrainingError,
)
from gapwise.pipeline_search import Searched
from gapwise.search.driver import Driver
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, State, Trial, replay
from gapwise.search.plan import RoundPlan, SearchPlan, Shown
from gapwise.search.space import read_space
from gapwise.workers.base import Context, Done, News, Workers
from gapwise.workers.in_process import InProcess

SPACE = read_space(
    {
        "lr": Searched(scale="log", low=1e-4, high=1.0),
        "norm": Searched(choices=("none", "before"), tier=2),
        "dropout": Searched(low=0.0, high=0.6, when={"norm": "none"}, tier=3),
    }
)
ROUNDS = (
    RoundPlan(trials=12, sampler="sobol"),
    RoundPlan(trials=12, sampler="tpe"),
    RoundPlan(trials=6, sampler="gp", tiers=(1,)),
)


def curve(parameters: dict[str, Any], epochs: int) -> list[float]:
    far = (math.log10(parameters["lr"]) + 2) ** 2 * 0.05 + 0.02 * (parameters["norm"] == "none")
    return [min(1.0, 0.1 + far + 0.3 / epoch) for epoch in range(1, epochs + 1)]


def train(argument: tuple[dict[str, Any], int], context: Context) -> list[float]:
    return curve(*argument)


class Jobs:
    sharing = None

    def __init__(self, function: Callable[..., Any] = train) -> None:
        self.function = function
        self.calls = 0

    def call(self, trial: Trial, epochs: int) -> tuple[Any, Any]:
        self.calls += 1
        return self.function, (dict(trial.parameters), epochs)

    def read(self, value: list[float]) -> Shown:
        return Shown(epochs=len(value), curve=tuple(value), is_over=False, facts={})


def plan(**changes: Any) -> SearchPlan:
    given = {"rounds": ROUNDS, "rungs": (1, 3, 9), "eta": 3, "seed": 5, "examples": 500}
    return SearchPlan(space=SPACE, **{**given, **changes})


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    made = EventLog(f"sqlite:///{tmp_path / 'searches.db'}")
    made.append("s", 0, [Event(kind="opened", facts={})])
    return made


def run(
    log: EventLog, jobs: Jobs | None = None, workers: Workers | None = None, **changes: Any
) -> State:
    return Driver(plan(**changes), "s", log, workers or InProcess(), jobs or Jobs()).run()


def told(state: State) -> list[tuple[Any, ...]]:
    return [(t.number, dict(t.parameters), t.state, t.value) for t in state.trials]


def test_every_trial_ends_and_the_search_finds_the_good_region(log: EventLog) -> None:
    state = run(log)
    assert len(state.trials) == 30
    assert {t.state for t in state.trials} == {"done", "stopped"}
    assert len(state.rounds) == 3
    assert state.best is not None
    assert 10**-2.6 < state.best.parameters["lr"] < 10**-1.4
    epochs = sum(trial.epochs for trial in state.trials)
    assert epochs < 0.6 * 30 * 9
    last = state.rounds[-1].region
    assert set(last.ranges) == {"lr"}
    assert last.held["norm"] == state.best.parameters["norm"]


def test_conditions_hold_in_every_trial(log: EventLog) -> None:
    for trial in run(log).trials:
        assert ("dropout" in trial.parameters) == (trial.parameters["norm"] == "none")
        assert set(trial.point) <= set(trial.parameters)


@pytest.mark.parametrize("sampler", ["random", "sobol", "tpe", "gp"])
def test_s5_s6_one_that_is_cut_off_after_any_event_finds_the_same(
    sampler: str, tmp_path: Path
) -> None:
    rounds = (RoundPlan(trials=9, sampler="sobol"), RoundPlan(trials=5, sampler=sampler))
    logs = [EventLog(f"sqlite:///{tmp_path / name}.db") for name in ("whole", "cut")]
    for one in logs:
        one.append("s", 0, [Event(kind="opened", facts={})])
    whole = run(logs[0], rounds=rounds)

    class CutError(Exception):
        pass

    def cut(state: State, event: Event | News) -> None:
        if state.count % 4 == 0:
            raise CutError

    for _ in range(100):
        driver = Driver(plan(rounds=rounds), "s", logs[1], InProcess(), Jobs(), cut)
        try:
            driver.run()
            break
        except CutError:
            continue
    cut_off = replay(logs[1].read("s"))
    assert told(cut_off) == told(whole)
    assert [one.region for one in cut_off.rounds] == [one.region for one in whole.rounds]


def test_given_settings_are_tried_first_and_trained_to_the_end(log: EventLog) -> None:
    own = {"lr": 1.0, "norm": "none", "dropout": 0.0}
    state = run(log, given=(own,))
    assert state.trials[0].parameters == own
    assert state.trials[0].state == "done"


def test_s7_a_failing_trial_keeps_its_reason_and_the_search_goes_on(log: EventLog) -> None:
    def sometimes(argument: Any, context: Context) -> list[float]:
        if argument[0]["lr"] > 0.1:
            raise TrainingError("the loss is nan at step 3; lower training.optimizer.lr")
        return train(argument, context)

    state = run(log, Jobs(sometimes))
    failed = [t for t in state.trials if t.state == "failed"]
    assert failed
    assert all(t.reason.startswith("the loss is nan at step 3") for t in failed)
    assert state.best is not None


def test_x1_a_full_disk_stops_the_search_and_blames_no_trial(log: EventLog) -> None:
    full = True

    def sometimes(argument: Any, context: Context) -> list[float]:
        if full and argument[1] == 9:
            raise StorageError("no space left on the disk")
        return train(argument, context)

    with pytest.raises(StorageError, match=r"a job could not be kept: no space left.*goes on"):
        run(log, Jobs(sometimes))
    assert not any(event.kind == "failed" for event in log.read("s"))
    full = False
    state = run(log, Jobs(sometimes))
    assert len(state.trials) == 30
    assert {t.state for t in state.trials} == {"done", "stopped"}


def test_s7_more_than_half_failing_stops_the_search(log: EventLog) -> None:
    def never(argument: Any, context: Context) -> list[float]:
        raise ValueError("no such column")

    with pytest.raises(CheckError, match=r"10 of 10 trials of s failed.*ValueError: no such col"):
        run(log, Jobs(never))


def test_t5_what_does_not_fit_into_memory_is_infeasible_and_no_failure(log: EventLog) -> None:
    def large(argument: Any, context: Context) -> list[float]:
        if argument[0]["norm"] == "before":
            raise MemoryShortError("cuda has not enough memory for 64 examples at once")
        return train(argument, context)

    state = run(log, Jobs(large))
    states = [t.state for t in state.trials]
    assert states.count("infeasible") > 5
    assert "failed" not in states


class Losing(InProcess):
    """Loses the first attempts of every third job."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times
        self._lost: dict[str, int] = {}

    def wait(self, seconds: float) -> list[Done | News]:
        key = self._calls[0][0] if self._calls else ""
        job, _, attempt = key.rpartition(".")
        if job and int(job.split(".")[0]) % 3 == 0 and int(attempt) < self._times:
            self._calls.popleft()
            return [Done(key=key, lost="its worker was killed by SIGKILL")]
        return super().wait(seconds)


class Many(InProcess):
    """Eight slots, whose jobs end in another order than they began."""

    slots = 8

    def wait(self, seconds: float) -> list[Done | News]:
        if len(self._calls) > 1:
            self._calls.rotate(len(self._calls) // 2)
        return super().wait(seconds)


@pytest.mark.parametrize("sampler", ["sobol", "tpe", "gp"])
def test_w1_many_jobs_in_flight_lose_nothing(sampler: str, log: EventLog) -> None:
    rounds = tuple(RoundPlan(trials=20, sampler=one) for one in ("sobol", sampler, sampler))
    state = run(log, workers=Many(), rounds=rounds)
    assert len(state.trials) == 60
    results = [(e.trial, e.facts["rung"]) for e in log.read("s") if e.kind == "result"]
    assert len(results) == len(set(results))
    assert {t.state for t in state.trials} == {"done", "stopped"}


def test_s1_a_lost_job_is_run_again_and_changes_nothing(tmp_path: Path, log: EventLog) -> None:
    other = EventLog(f"sqlite:///{tmp_path / 'other.db'}")
    other.append("s", 0, [Event(kind="opened", facts={})])
    assert told(run(log, workers=Losing(2))) == told(run(other))


def test_w1_a_job_that_takes_its_worker_along_each_time_fails_at_last(log: EventLog) -> None:
    state = run(log, workers=Losing(99), rounds=(RoundPlan(trials=9, sampler="sobol"),))
    failed = [t for t in state.trials if t.state == "failed"]
    assert [t.number for t in failed] == [0, 3, 6]
    assert failed[0].reason == (
        "its job took its worker with it 3 times: its worker was killed by SIGKILL"
    )


def test_s3_the_late_word_of_an_attempt_that_was_given_up_is_not_heard(log: EventLog) -> None:
    class Late(InProcess):
        def wait(self, seconds: float) -> list[Done | News]:
            news = super().wait(seconds)
            return [*news, *news, Done(key="0.0.7", value=[0.0])]

    state = run(log, workers=Late())
    assert len(state.trials) == 30
    assert state.best is not None
    assert state.best.value is not None
    assert state.best.value > 0.1


def test_a_second_driver_on_one_study_is_refused(log: EventLog) -> None:
    first = Driver(plan(), "s", log, InProcess(), Jobs())
    second = Driver(plan(), "s", log, InProcess(), Jobs())
    first.run()
    with pytest.raises(BusyError, match="was moved on by another driver"):
        second.run()


def test_asked_to_stop_it_ends_its_jobs_and_goes_on_later(log: EventLog) -> None:
    jobs = Jobs()
    driver = Driver(plan(), "s", log, InProcess(), jobs)
    with pytest.raises(StoppedError, match="called again, it goes on"):
        driver.run(lambda: jobs.calls >= 7)
    assert len(replay(log.read("s")).trials) < 12
    assert len(run(log).trials) == 30
