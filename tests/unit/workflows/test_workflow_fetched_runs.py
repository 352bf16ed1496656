"""Runs that MLflow alone has, of other tools or other machines, come along when a home is moved."""

import math
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.store import RunStore
from gapwise.workflows.backup import back_up, restore
from gapwise.workflows.doctor import examine
from gapwise.workflows.move import embedded, move

POINTS = [("loss", 0.5, 0), ("loss", math.nan, 1), ("loss", 0.25, 2), ("accuracy", 0.9, 2)]


@pytest.fixture
def source(tmp_path: Path) -> Settings:
    """A store in which another tool logged a run and a part of it, one that it still writes."""
    settings = embedded(tmp_path / "source")
    client = connect(settings)
    where = client.create_experiment("others", artifact_location=(tmp_path / "files").as_uri())
    parent = client.create_run(where, run_name="whole", tags={"team": "vision"})
    log(client, parent.info.run_id, tmp_path)
    part = client.create_run(
        where, run_name="part", tags={"mlflow.parentRunId": parent.info.run_id}
    )
    for one in (part, parent):
        client.set_terminated(one.info.run_id)
    client.create_run(where, run_name="going on")
    return settings


def log(client: MlflowClient, run: str, tmp_path: Path) -> None:
    client.log_param(run, "lr", "0.1")
    metrics = [Metric(name, value, 1000 + step, step) for name, value, step in POINTS]
    client.log_batch(run, metrics=metrics)
    for name in ("run.json", "notes.txt", ".hidden"):
        (tmp_path / name).write_text(name)
        client.log_artifact(run, str(tmp_path / name), "" if name == "run.json" else "a/b")


def told(settings: Settings) -> dict[str, object]:
    """What MLflow has of the runs that have ended, by their names."""
    client = connect(settings)
    (experiment,) = [one for one in client.search_experiments() if one.name == "others"]
    runs = client.search_runs([experiment.experiment_id])
    names = {run.info.run_id: run.info.run_name for run in runs}
    return {
        names[run.info.run_id]: (
            run.data.params,
            run.data.tags.get("team"),
            names.get(run.data.tags.get("mlflow.parentRunId", "")),
            run.info.status,
            run.info.end_time,
            [(one.step, repr(one.value), one.timestamp) for one in history(client, run)],
            sorted(file.path for file in client.list_artifacts(run.info.run_id, "a/b")),
        )
        for run in runs
        if run.info.status == "FINISHED"
    }


def history(client: MlflowClient, run: object) -> list[Metric]:
    found = client.get_metric_history(run.info.run_id, "loss")  # type: ignore[attr-defined]
    return sorted(found, key=lambda one: one.step)


def test_another_tools_runs_come_with_all_they_have_once(source: Settings, tmp_path: Path) -> None:
    target = embedded(tmp_path / "target")
    moved = move(source, target)
    assert (moved.runs, moved.known_runs, moved.left) == (2, 0, 1)
    assert told(target) == told(source)
    assert len(told(target)["whole"][5]) == 3  # type: ignore[index]
    assert told(target)["part"][2] == "whole"  # type: ignore[index]
    store = RunStore(target)
    run = store.open("whole")
    assert run.artifact("run.json").read_text() == "run.json"
    assert run.artifact("a/b/.hidden").read_text() == ".hidden"
    again = move(source, target)
    assert (again.runs, again.known_runs) == (0, 2)
    assert told(target) == told(source)
    assert examine(target)["healthy"], examine(target)
    assert move(target, source).runs == 2  # back again, into the runs that they came from
    assert len(RunStore(source).rows()) == 3
    assert len(told(source)) == 2
    # From there they go on as any run does.
    third = embedded(tmp_path / "third")
    assert move(target, third).runs == 2
    assert told(third) == told(source)


def test_a_run_that_went_on_is_fetched_again(source: Settings, tmp_path: Path) -> None:
    target = embedded(tmp_path / "target")
    move(source, target)
    client = connect(source)
    run = RunStore(source).open("going on")
    client.log_metric(run.mlflow_id, "loss", 0.125, step=3)
    client.set_terminated(run.mlflow_id)
    moved = move(source, target)
    assert (moved.runs, moved.left) == (1, 0)
    assert RunStore(target).open("going on").metrics == {"loss": 0.125}


def test_an_embedded_backup_brings_them_by_mlflows_own_store(
    source: Settings, tmp_path: Path
) -> None:
    write = RunStore(source).create(
        experiment="e", name="ours", kind="record", seed=None, group=None, dataset="d"
    )
    write.finish()
    back_up(tmp_path / "saved", source)
    target = embedded(tmp_path / "target")
    restore(tmp_path / "saved", target)
    assert told(target) == told(source)
    assert sorted(RunStore(target).rows()["name"]) == ["going on", "ours", "part", "whole"]
