"""The page Search on a study of real events."""

import math
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import search_data
from gapwise.pipeline_search import Searched
from gapwise.records import plain
from gapwise.search.driver import Driver
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event, Trial
from gapwise.search.plan import RoundPlan, SearchPlan, Shown
from gapwise.search.space import read_space
from gapwise.settings import Settings
from gapwise.workers.base import Context
from gapwise.workers.in_process import InProcess
from gapwise.workflows.search_study import plan_facts

PAGE = str(Path("dashboards/pages/train_2_search.py").absolute())
SPACE = read_space(
    {
        "training.optimizer.lr": Searched(scale="log", low=1e-4, high=1.0),
        "network.hidden": Searched(choices=([16], [64]), tier=2),
        "network.dropout": Searched(low=0.0, high=0.5, when={"network.hidden": [64]}),
    }
)
PLAN = SearchPlan(
    space=SPACE,
    rounds=(RoundPlan(trials=14, sampler="sobol"), RoundPlan(trials=10, sampler="tpe")),
    rungs=(1, 3, 9),
    eta=3,
    seed=1,
    examples=500,
)


def train(argument: Any, context: Context) -> list[float]:
    parameters, epochs = argument
    far = (math.log10(parameters["training.optimizer.lr"]) + 2) ** 2 * 0.05
    return [min(1.0, 0.1 + far + 0.3 / epoch) for epoch in range(1, epochs + 1)]


class Jobs:
    sharing = None

    def call(self, trial: Trial, epochs: int) -> tuple[Any, Any]:
        return train, (dict(trial.parameters), epochs)

    def read(self, value: list[float]) -> Shown:
        return Shown(epochs=len(value), curve=tuple(value), is_over=False, facts={})


@pytest.fixture
def study(home: Path) -> EventLog:
    log = EventLog(Settings.read().studies_url)
    opened = {
        "name": "digits",
        "search": plan_facts(PLAN),
        "examples": 200,
        "confirming": 190,
        "seeds": 3,
    }
    log.append("digits-1234", 0, [Event(kind="opened", facts=plain(opened))])
    Driver(PLAN, "digits-1234", log, InProcess(), Jobs()).run()
    return log


def shown() -> tuple[AppTest, str]:
    test = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not test.exception
    assert not test.error
    text = " ".join(str(part.value) for part in (*test.markdown, *test.caption))
    return test, text.replace("\\", "")


def test_a_search_that_was_stopped_says_how_to_go_on(study: EventLog) -> None:
    _, text = shown()
    assert "Stopped: 24 of 24 trials have ended" in text
    assert "gapwise search digits" in text
    assert "24 settings tried at the cost of" in text
    assert "trials are good" in text
    assert "told when the search has ended" in text


def test_a_search_that_ended_says_what_the_winner_is_worth(study: EventLog) -> None:
    confirmed = {
        "difference": 0.05,
        "low": 0.02,
        "high": 0.08,
        "n": 190,
        "seeds": 3,
        "winner_runs": [],
        "incumbent_runs": [],
    }
    optimism = {"apparent": 0.1, "corrected": 0.12, "low": 0.08, "high": 0.16}
    closed = {
        "best": None,
        "optimism": optimism | {"candidates": 9, "n": 200},
        "broke_limits": {},
        "says": "The winner is better than the pipeline as it is: it gains +5.0 points.",
    }
    count = len(study.read("digits-1234"))
    events = [Event(kind="confirmed", facts=confirmed), Event(kind="closed", facts=closed)]
    study.append("digits-1234", count, events)
    _, text = shown()
    assert "# The winner is better than the pipeline as it is" in text
    assert "+5.0" in text
    assert "12.0 %" in text
    assert "the lowest of 9 is too good by luck" in text


def test_without_a_search_it_says_how_to_begin(home: Path) -> None:
    _, text = shown()
    assert "No search yet" in text


def test_s9_of_many_trials_the_best_and_a_part_of_the_others_are_drawn(
    study: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_data, "MOST_DOTS", 10)
    found = search_data.follow("digits-1234")
    found.drawn = (-1, [])
    dots = search_data.dots(found)
    assert found.reached == 24
    assert len(dots) <= 10
    assert [dot.number for dot in dots] == sorted({dot.number for dot in dots})
    errors = sorted(t.value for t in found.state.trials if t.value is not None)
    assert sorted(dot.error for dot in dots)[:5] == errors[:5]
    assert max(dot.error for dot in dots) > errors[10]
    _, text = shown()
    assert f"{len(dots)} of 24: the best, and every n-th of the others" in text
