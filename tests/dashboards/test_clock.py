"""How long ago, and how long: never below nothing, whatever the clock did."""

import time

import pytest

from dashboards import clock
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore

HOUR = 3600 * 10**9


@pytest.mark.usefixtures("home")
def test_x4_a_clock_that_goes_back_makes_no_negative_time(monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(Settings.read())
    writer = store.create(experiment="e", name=None, kind="train", seed=0, group=None, dataset="d")
    now = time.time_ns()
    with monkeypatch.context() as back, writer:
        back.setattr(time, "time_ns", lambda: now - HOUR)
        writer.log_metrics({"loss": 0.5}, 1)
        writer.log_metrics({"loss": 0.25}, 2)
        writer.finish("FINISHED")
    run = store.open("latest")
    assert run.status == "FINISHED"
    assert run.history("loss")[1].tolist() == [0.5, 0.25]
    assert clock.took(run) == "took 0 s"
    monkeypatch.setattr(time, "time", lambda: (now - HOUR) / 1e9)
    assert clock.when(run) == "just now"
    assert clock.ago(-5) == "just now"


def test_spans_are_told_in_the_largest_unit() -> None:
    told = [clock.ago(seconds) for seconds in (59, 60, 7200, 86400 * 3)]
    assert told == ["just now", "1 minute ago", "2 hours ago", "3 days ago"]
