"""Train, resume, diagnose and compare by the real parts, on the bundled digits."""

import json
from pathlib import Path

import numpy as np
import pytest

from gapwise.errors import PipelineError, StoppedError, UsageError
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows import train as workflow
from gapwise.workflows.compare import compare_runs
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.stop import StopRequest

QUICK = ["network=multilayer-perceptron", "training.epochs=2", "training.device=cpu"]


@pytest.fixture
def trained(home: Path) -> workflow.Trained:
    return workflow.train("digits", QUICK)


def test_a_run_keeps_all_that_it_was_made_from(trained: workflow.Trained) -> None:
    run = RunStore(Settings.read()).open("latest")
    assert run.run_id == trained.run_ids[0]
    assert run.mlflow_id == RunStore(Settings.read()).open(run.run_id).mlflow_id != ""
    assert run.status == "FINISHED"
    assert run.splits() == ["train", "train_dev", "dev", "test"]
    assert run.pipeline()["training"]["epochs"] == 2
    assert run.parameters["plan.device"] == "cpu"
    assert len(run.history("train_loss")[0]) == 2
    assert {"gapwise.splits", "gapwise.version.torch", "mlflow.user"} <= run.tags.keys()


def test_all_predictions_come_from_one_checkpoint_and_cover_the_split(
    trained: workflow.Trained,
) -> None:
    run = RunStore(Settings.read()).open(trained.run_ids[0])
    sizes = {}
    for split in run.splits():
        table = tables.read(run.predictions_path(split), split=split)
        sizes[split] = len(table)
        wrong = table.scores.argmax(axis=1) != table.target
        assert np.array_equal(table.error, wrong.astype(float))
    assert sizes == {"train": 897, "train_dev": 250, "dev": 400, "test": 250}


def test_the_json_is_the_contract(trained: workflow.Trained) -> None:
    document = json.loads(json.dumps(trained.as_json(), allow_nan=False))
    assert {"run_id", "seconds", "examples_per_second", "ladder"} <= document.keys()
    assert [rung["rung"] for rung in document["ladder"]] == ["train", "train_dev", "dev"]


def test_seeds_make_one_group_diagnosed_together(home: Path) -> None:
    trained = workflow.train("digits", QUICK, seeds=2)
    store = RunStore(Settings.read())
    groups = {store.open(run_id).group for run_id in trained.run_ids}
    assert len(groups) == 1
    assert None not in groups
    assert diagnose_runs(["latest"]).ladder == trained.diagnosis.ladder


def test_comparing_a_run_with_itself_finds_nothing(trained: workflow.Trained) -> None:
    again = compare_runs("latest", trained.run_ids[0]).as_json()
    assert again["difference"] == 0
    assert again["fixed"] == again["broken"] == 0
    assert again["verdict"] == "undecided"
    assert again["n_shared"] == 400


def test_runs_are_counted_back_from_the_latest(home: Path) -> None:
    trained = workflow.train("digits", QUICK, seeds=2)
    store = RunStore(Settings.read())
    assert store.open("latest~1").run_id == trained.run_ids[0]
    with pytest.raises(UsageError, match="there are 2"):
        store.open("latest~2")


def test_a_test_look_is_shown_only_on_request_and_counted(trained: workflow.Trained) -> None:
    hidden = diagnose_runs(["latest"]).as_json()
    assert "test" not in {rung["rung"] for rung in hidden["ladder"]}
    shown = diagnose_runs(["latest"], test=True).as_json()
    assert shown["ladder"][-1]["rung"] == "test"
    assert shown["gaps"][-1]["name"] == "dev_overfit"
    assert shown["label_revision"] == hidden["label_revision"] + 1


def test_t3_a_stop_saves_a_checkpoint_and_resume_equals_the_uninterrupted_run(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = workflow.train("digits", [*QUICK, "training.epochs=4"])
    asked = iter([False] * 9)
    monkeypatch.setattr(StopRequest, "__call__", lambda self: next(asked, True))
    with pytest.raises(StoppedError):
        workflow.train("digits", [*QUICK, "training.epochs=4"])
    store = RunStore(Settings.read())
    assert store.open("latest").status == "KILLED"
    monkeypatch.undo()
    monkeypatch.setenv("GAPWISE_HOME", str(home))
    monkeypatch.setenv("GAPWISE_CACHE", str(home.parent / "cache"))
    resumed = workflow.resume("latest")
    first, second = (store.open(t.run_ids[0]) for t in (whole, resumed))
    assert second.status == "FINISHED"
    for name in ("loss", "train_error", "dev_error"):
        for index in (0, 1):
            assert np.array_equal(first.history(name)[index], second.history(name)[index])
    for split in ("train", "dev"):
        a, b = (tables.read(run.predictions_path(split), split=split) for run in (first, second))
        assert np.array_equal(a.scores, b.scores)


def test_t3_resume_of_one_seed_completes_the_group(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = workflow.train("digits", QUICK, seeds=3)
    steps = 2 * 29  # two epochs of 897 examples in batches of 32, a little more is asked
    with monkeypatch.context() as context:
        asked = iter([False] * (steps + 20))
        context.setattr(StopRequest, "__call__", lambda self: next(asked, True))
        with pytest.raises(StoppedError):
            workflow.train("digits", QUICK, seeds=3, run_name="mine")
    store = RunStore(Settings.read())
    stopped = store.open("latest")
    assert (stopped.seed, stopped.status) == (1, "KILLED")
    resumed = workflow.resume(stopped.run_id)
    runs = [store.open(run_id) for run_id in resumed.run_ids]
    assert [run.seed for run in runs] == [0, 1, 2]
    assert {run.status for run in runs} == {"FINISHED"}
    assert {(run.group, run.name) for run in runs} == {(stopped.group, "mine")}
    assert len({run.tags["gapwise.splits"] for run in runs}) == 1
    assert resumed.diagnosis.ladder == whole.diagnosis.ladder
    # Again: nothing is left to train, and nothing is doubled.
    assert workflow.resume(stopped.run_id).run_ids == resumed.run_ids


def test_options_are_checked_before_anything_is_built(home: Path) -> None:
    with pytest.raises(PipelineError, match="channels"):
        workflow.train("digits", ["network.chanels=[8]"])
    assert not (home / "runs").exists()


def test_an_unknown_run_names_what_there_is(home: Path) -> None:
    with pytest.raises(UsageError, match="gapwise train"):
        diagnose_runs(["latest"])
