"""`gapwise select` over stored runs: recorded ones, trained ones, and what cannot be judged."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import DataError, UsageError
from gapwise.ledger import looks
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.workflows.costs import CostRequest
from gapwise.workflows.record import RecordRequest, record_file
from gapwise.workflows.select import SelectRequest, select_run

N = 1000


def recorded(
    folder: Path, name: str, wrong: Sequence[int], *metrics: str, prefix: str = "e"
) -> str:
    """Record a run that errs on the dev and test examples of ``wrong``."""
    target = np.arange(N) % 2
    predicted = np.where(np.isin(np.arange(N), wrong), 1 - target, target)
    rows = pd.DataFrame({"target": target, "predicted": predicted, "lens": np.arange(N) % 5})
    frames = [
        rows.assign(split=split, example_id=[f"{split}-{prefix}{i}" for i in range(N)])
        for split in ("dev", "test")
    ]
    path = folder / f"{name}.csv"
    pd.concat(frames).to_csv(path, index=False)
    request = RecordRequest(
        file=path, experiment="x", run_name=name, dataset="d", classes=("no", "yes"),
        metrics=metrics,
    )  # fmt: skip
    return record_file(request)


@pytest.fixture
def runs(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    errs = {"A": range(100), "B": range(80), "C": range(50)}
    times = {"A": 80, "B": 95, "C": 1500}
    return {
        name: recorded(tmp_path, name, wrong, f"running_time_ms={times[name]}")
        for name, wrong in errs.items()
    }


def test_the_classifiers_of_the_notes_come_out_b(runs: dict[str, str]) -> None:
    words = ["select", "x", "--optimize", "accuracy", "--limit", "running_time_ms<=100", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["optimize"] == "accuracy"
    assert document["limits"] == ["running_time_ms<=100"]
    assert document["feasible"] == [runs["B"], runs["A"]]
    assert document["infeasible"] == [runs["C"]]
    assert document["borderline"] == []
    assert (document["winner"], document["tied_with"]) == (runs["B"], [])
    assert CliRunner().invoke(app, words[:-1]).exit_code == 0


def test_a_limit_on_a_figure_is_borderline_inside_its_interval(runs: dict[str, str]) -> None:
    found = select_run(SelectRequest(experiment="x", limits=("f1[yes]>=0.91",)))
    assert found.of("feasible") == [runs["C"]]
    assert found.of("borderline") == [runs["B"], runs["A"]]
    assert found.winner == runs["C"]


def test_sources_columns_and_weights_can_be_optimized(runs: dict[str, str]) -> None:
    for optimize, weigh in (("mean_error[lens]", ()), ("weighted_error", ("no->yes=10",))):
        found = select_run(SelectRequest(experiment="x", optimize=optimize, weigh=weigh))
        assert found.winner == runs["C"]
        assert found.judged[0].candidate.values[optimize].interval is not None


def test_runs_on_other_examples_are_left_out_with_the_reason(
    runs: dict[str, str], tmp_path: Path
) -> None:
    other = recorded(tmp_path, "other", range(3), prefix="other")
    found = select_run(SelectRequest(experiment="x"))
    assert found.winner == runs["C"]
    (left,) = found.extra["left_out"]
    assert left["run_id"] == other
    assert "0 examples are shared" in left["why"]


def test_a_look_at_test_is_counted_and_dev_is_none(runs: dict[str, str]) -> None:
    ledger = Ledger(Settings.read().ledger_url)
    select_run(SelectRequest(experiment="x"))
    assert looks.count(ledger, "d") == 0
    select_run(SelectRequest(experiment="x", split="test"))
    assert looks.count(ledger, "d") == 1


def test_recorded_runs_have_no_latency_so_nothing_is_sure(runs: dict[str, str]) -> None:
    found = select_run(SelectRequest(experiment="x", limits=("latency_p95_ms<=100",)))
    assert found.winner is None
    assert len(found.of("borderline")) == 3
    assert "no network here" in found.judged[0].candidate.values["latency_p95_ms"].why


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"experiment": "y"}, UsageError, "no experiment 'y'"),
        ({"optimize": "acuracy"}, UsageError, "did you mean accuracy"),
        ({"limits": ("running_time<=1",)}, UsageError, "did you mean running_time_ms"),
        ({"limits": ("fast",)}, UsageError, "is no limit"),
        ({"optimize": "f1[maybe]"}, DataError, "no class 'maybe'"),
        ({"optimize": "mean_error[lense]"}, DataError, "'lense'"),
        ({"optimize": "weighted_error"}, UsageError, "--weigh"),
        ({"weigh": ("no->yes=10",)}, UsageError, "neither optimized nor limited"),
        ({"split": "dve"}, UsageError, "did you mean dev"),
        ({"costs": CostRequest(batch=0)}, UsageError, "--batch 0"),
        ({"costs": CostRequest(device="cuda:99")}, UsageError, "--device cuda:99 is not here"),
        ({"costs": CostRequest(device="gpu?")}, UsageError, "is not here"),
    ],
)
def test_what_cannot_be_selected_by_is_told(
    runs: dict[str, str], changes: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        select_run(SelectRequest(**({"experiment": "x"} | changes)))


def test_a_metric_that_is_no_number_is_refused_and_nothing_is_recorded(
    home: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"--metric .*latency_p95_ms=80"):
        recorded(tmp_path, "bad", range(3), "latency=soon")
    with pytest.raises(UsageError, match="no runs yet"):
        select_run(SelectRequest())


def test_a_trained_run_is_measured_once(photo_shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    request = SelectRequest(limits=("latency_p95_ms<=1e6", "parameters>=1", "memory_mb<=1e6"))
    found = select_run(request, photo_shop.settings)
    assert found.winner is not None
    winner = found.judged[0].candidate
    latency = winner.values["latency_p95_ms"]
    assert latency.interval is not None
    assert 0 < latency.interval.low <= latency.value <= latency.interval.high  # type: ignore[operator]
    assert found.extra["measured"]["batch"] == 1
    monkeypatch.setattr("gapwise.workflows.costs.costs", None)
    again = select_run(request, photo_shop.settings)
    assert again.judged[0].candidate.values == winner.values
