"""Runs: made, resumed, found, listed and mirrored into a real embedded MLflow store."""

import json
import math
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gapwise.errors import BusyError, ServiceError, StorageError, UsageError
from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.drain import drain
from gapwise.tracking.folder import RunFolder
from gapwise.tracking.store import RunStore
from gapwise.tracking.writer import RunWriter


@pytest.fixture
def store(settings: Settings) -> RunStore:
    return RunStore(settings)


def begin(store: RunStore, **changes: Any) -> RunWriter:
    fields: dict[str, Any] = {
        "experiment": "digits",
        "name": None,
        "kind": "train",
        "seed": 0,
        "group": None,
        "dataset": "digits",
    }
    return store.create(**(fields | changes))


def make(store: RunStore, metrics: Mapping[str, float], **changes: Any) -> str:
    with begin(store, **changes) as writer:
        writer.log_metrics(metrics, 1)
        writer.finish("FINISHED")
    return writer.run_id


def test_a_run_is_read_as_it_was_written(store: RunStore, tmp_path: Path) -> None:
    outside = tmp_path / "curve.txt"
    outside.write_text("a curve")
    with begin(store, seed=7, group="g", tags={"team": "a"}) as writer:
        writer.log_parameters({"training": {"epochs": 3, "lr": 1e-3}, "note": "12"})
        for step in (1, 2, 3):
            writer.log_metrics({"loss": 1 / step, "lr": 0.1}, step)
        writer.log_metric("odd", math.inf, 1)
        writer.log_file(outside, "plots")
        (writer.folder / "predictions").mkdir()
        (writer.folder / "predictions" / "dev.parquet").write_bytes(b"x")
        (writer.folder / "pipeline.yaml").write_text("name: digits\ntraining: {lr: 1e-3}\n")
        writer.finish("FINISHED")
    run = store.open(writer.run_id)
    assert (run.seed, run.group, run.kind, run.dataset) == (7, "g", "train", "digits")
    assert run.parameters == {"training.epochs": 3, "training.lr": 1e-3, "note": "12"}
    assert run.metrics == {"loss": 1 / 3, "lr": 0.1, "odd": math.inf}
    steps, values, seconds = run.history("loss")
    assert steps.tolist() == [1, 2, 3]
    assert values.tolist() == [1.0, 0.5, 1 / 3]
    assert abs(seconds[0] - time.time()) < 60
    assert [len(column) for column in run.history("nothing")] == [0, 0, 0]
    assert run.artifact("plots/curve.txt").read_text() == "a curve"
    assert run.splits() == ["dev"]
    assert run.predictions_path("dev") == writer.folder / "predictions" / "dev.parquet"
    assert run.predictions_path("test") is None
    assert run.pipeline() == {"name": "digits", "training": {"lr": 1e-3}}
    with pytest.raises(StorageError, match=r"has no file '\.\./\.\./mlflow.db'"):
        run.artifact("../../mlflow.db")


def test_k5_a_drained_run_is_whole_in_mlflow_and_drains_once(
    store: RunStore, settings: Settings
) -> None:
    with begin(store) as writer:
        writer.log_parameters({f"p{i}": i for i in range(250)} | {"long": "x" * 7000})
        writer.log_dataset("digits", "ab" * 32, "bundled")
        for step in range(1500):
            writer.log_metrics({"loss": step / 10, "lr": 0.1}, step)
        writer.log_metric("dev_error", math.nan, 1)
        writer.log_metric("dev_error", -math.inf, 2)
        writer.finish("FINISHED")
    for _ in range(3):
        store.drain(writer.run_id)
    client = connect(settings)
    run = client.get_run(store.open("latest").mlflow_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["p249"] == "249"
    assert run.data.params["long"].endswith("… (7000 characters, whole in run.json)")
    assert run.data.tags["gapwise.run"] == writer.run_id
    assert run.data.tags["gapwise.digest.digits"] == "ab" * 32
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [p.value for p in sorted(history, key=lambda p: p.step)] == [s / 10 for s in range(1500)]
    odd = client.get_metric_history(run.info.run_id, "dev_error")
    assert all(math.isnan(p.value) for p in odd)
    assert len(odd) == 2
    assert json.loads(run.data.tags["gapwise.not_finite"]) == {"dev_error": "nan at step 1"}
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.name == "digits"


def test_points_sent_again_after_a_lost_note_are_not_doubled(
    store: RunStore, settings: Settings
) -> None:
    run_id = make(store, {"loss": 0.5, "odd": math.nan})
    store.drain(run_id)
    (settings.runs / run_id / "drained.json").unlink()
    store.drain(run_id)
    client = connect(settings)
    mlflow_id = store.open(run_id).mlflow_id or store.open("latest").mlflow_id
    assert len(client.get_metric_history(mlflow_id, "loss")) == 1
    assert len(client.get_metric_history(mlflow_id, "odd")) == 1
    assert len(store.rows()) == 1


def test_the_mirror_follows_and_ends_with_the_run(settings: Settings) -> None:
    store = RunStore(replace(settings, mirror=True))
    with begin(store) as writer:
        writer.log_metric("loss", 0.5, 1)
        writer.finish("FINISHED")
    deadline = time.monotonic() + 60  # a busy machine: the mirror goes on by itself
    while store.undrained() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert store.undrained() == []
    assert connect(settings).get_run(store.open("latest").mlflow_id).info.status == "FINISHED"


def test_a_part_that_is_sent_first_belongs_to_its_whole_all_the_same(settings: Settings) -> None:
    waiting = RunStore(replace(settings, mirror=False))
    whole = make(waiting, {"error": 0.1}, kind="search")
    part = make(waiting, {"error": 0.1}, kind="round", tags={"gapwise.parent": whole})
    trial = make(waiting, {"error": 0.1}, kind="trial", tags={"gapwise.parent": part})
    store, client = RunStore(settings), connect(settings)
    store.drain(trial)
    sent = {run: client.get_run(store.open(run).mlflow_id) for run in (whole, part, trial)}
    assert sent[trial].data.tags["mlflow.parentRunId"] == sent[part].info.run_id
    assert sent[part].data.tags["mlflow.parentRunId"] == sent[whole].info.run_id
    assert store.undrained() == []


def test_a_resumed_run_goes_on_where_it_stopped(store: RunStore, settings: Settings) -> None:
    with suppress(RuntimeError), begin(store) as writer:
        writer.log_parameters({"epochs": 1, "lr": 0.1})
        writer.log_metric("loss", 1.0, 1)
        writer.log_metric("loss", 2.0, 2)
        raise RuntimeError
    run_id = writer.run_id
    store.drain(run_id)
    assert store.open(run_id).status == "FAILED"
    with store.reopen(run_id) as again:
        assert store.open(run_id).status == "RUNNING"
        again.log_parameters({"epochs": 2})
        again.log_metric("loss", 99.0, 2)
        again.log_metric("loss", 3.0, 3)
        again.finish("FINISHED")
    store.drain(run_id)
    assert store.open(run_id).history("loss")[1].tolist() == [1.0, 2.0, 3.0]
    run = connect(settings).get_run(store.open("latest").mlflow_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"loss": 3.0}
    row = store.rows().iloc[0]
    assert (row["param.epochs"], row["param.lr"], row["status"]) == (2, 0.1, "FINISHED")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("x"), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
        (SystemExit(143), "KILLED"),
        (SystemExit(3), "FAILED"),
        (None, "FAILED"),
    ],
)
def test_k2_only_finish_makes_a_run_finished(
    store: RunStore, error: BaseException | None, status: str
) -> None:
    with suppress(BaseException), begin(store) as writer:
        if error is not None:
            raise error
    assert store.open(writer.run_id).status == status


def test_c3_a_live_run_cannot_be_reopened(store: RunStore) -> None:
    with begin(store) as writer:
        with pytest.raises(BusyError, match="in use by process"):
            store.reopen(writer.run_id)
        writer.finish("FINISHED")


def test_runs_are_found_by_id_prefix_name_latest_and_best(store: RunStore) -> None:
    worse = make(store, {"dev_error": 0.3}, name="first try")
    best = make(store, {"dev_error": 0.1})
    nan = make(store, {"dev_error": math.nan})
    other = make(store, {"dev_error": 0.0}, experiment="other")
    store.drain(worse)
    mlflow_id = store.open("first try").mlflow_id
    found = {ref: store.open(ref, "digits").run_id for ref in (worse[:8], best, mlflow_id, "best")}
    assert found == {worse[:8]: worse, best: best, mlflow_id: worse, "best": best}
    assert store.open("latest", "digits").run_id == nan
    assert store.open("latest").run_id == other
    assert store.experiments() == ["other", "digits"]
    with pytest.raises(UsageError, match="there is no run 'frist try'; did you mean first try"):
        store.open("frist try")
    make(store, {}, name="first try")
    with pytest.raises(UsageError, match="'first try' names 2 runs"):
        store.open("first try")


def test_without_runs_the_command_that_makes_one_is_named(store: RunStore) -> None:
    assert store.rows().empty
    with pytest.raises(UsageError, match="gapwise train PIPELINE"):
        store.open("latest")


def test_rows_hold_what_mlflow_and_what_only_folders_know(store: RunStore) -> None:
    sent = make(store, {"loss": 0.5, "odd": math.nan}, seed=1)
    store.drain(sent)
    unsent = make(store, {"loss": 0.25}, seed=2)
    with begin(store, seed=None) as live:
        live.log_parameters({"epochs": 3})
        live.log_metric("loss", 0.125, 1)
        live.sync()
        rows = store.rows().set_index("run_id")
        live.finish("FINISHED")
    assert rows.index.tolist() == [live.run_id, unsent, sent]
    assert rows["metric.loss"].tolist() == [0.125, 0.25, 0.5]
    assert rows["status"].tolist() == ["RUNNING", "FINISHED", "FINISHED"]
    assert np.isnan(rows.loc[sent, "metric.odd"])
    assert rows["param.epochs"].dtype == "Int64"
    assert rows["seed"].tolist()[1:] == [2, 1]
    assert str(rows["started"].dtype).endswith("UTC]")
    assert rows.loc[unsent, "mlflow_id"] == ""


def test_a_run_deleted_in_mlflow_stays_away(store: RunStore, settings: Settings) -> None:
    run_id = make(store, {"loss": 0.5})
    store.drain(run_id)
    connect(settings).delete_run(store.open("latest").mlflow_id)
    assert store.rows().empty


def test_runs_that_other_tools_logged_are_listed(store: RunStore, settings: Settings) -> None:
    client = connect(settings)
    experiment = client.create_experiment("elsewhere")
    run = client.create_run(experiment, run_name="theirs")
    client.log_param(run.info.run_id, "lr", 0.5)
    client.log_metric(run.info.run_id, "acc", 0.9, step=3)
    client.log_text(run.info.run_id, "hello", "notes/hello.txt")
    client.set_terminated(run.info.run_id)
    found = store.open("theirs")
    assert (found.run_id, found.folder, found.parameters) == (run.info.run_id, None, {"lr": 0.5})
    assert found.history("acc")[0].tolist() == [3]
    assert found.artifact("notes/hello.txt").read_text() == "hello"
    assert found.splits() == []


def test_metrics_of_the_machine_are_sampled_under_mlflows_names(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gapwise.tracking.system.EVERY", 0.02)
    with begin(store) as writer:
        writer.start_system_metrics()
        time.sleep(0.2)
        writer.finish("FINISHED")
    run = store.open(writer.run_id)
    assert {
        "system/cpu_utilization_percentage",
        "system/system_memory_usage_megabytes",
        "system/disk_available_megabytes",
        "system/network_receive_megabytes",
    } <= set(run.metrics)
    steps = run.history("system/cpu_utilization_percentage")[0]
    assert len(steps) > 2
    assert steps.tolist() == list(range(len(steps)))


def test_a_name_in_bytes_of_another_encoding_is_refused(
    store: RunStore, settings: Settings
) -> None:
    with pytest.raises(UsageError, match="which is no UTF-8"):
        begin(store, name="a\udcff")
    assert list(settings.runs.glob("*")) == []


def test_a_damaged_run_is_named(store: RunStore, settings: Settings) -> None:
    run_id = make(store, {"loss": 0.5})
    record = settings.runs / run_id / "run.json"
    record.write_text(record.read_text()[:-20])
    with pytest.raises(StorageError, match=r"run.json is damaged"):
        store.open(run_id)


def test_a_store_that_is_no_mlflow_store_is_told(store: RunStore, settings: Settings) -> None:
    (settings.home / "mlflow.db").unlink()
    connection = sqlite3.connect(settings.home / "mlflow.db")
    connection.execute("CREATE TABLE other (a)")
    connection.close()
    with pytest.raises(StorageError, match=r"mlflow.db: no such table"):
        store.rows()


def test_b5_a_store_that_mlflow_is_just_making_has_no_runs_yet(
    store: RunStore, settings: Settings
) -> None:
    (settings.home / "mlflow.db").unlink()
    for statement in ("SELECT 1", "CREATE TABLE experiments (x)", "CREATE TABLE runs (x)"):
        with closing(sqlite3.connect(settings.home / "mlflow.db")) as connection:
            connection.execute(statement)
        assert RunStore(settings).rows(None).empty


def test_a_status_that_was_sent_without_an_answer_is_sent_again(
    store: RunStore, settings: Settings
) -> None:
    run_id = make(store, {"loss": 1.0})
    store.drain(run_id)
    folder = RunFolder(settings.runs / run_id)
    client = connect(settings)
    terminate = client.set_terminated

    def applied_but_unanswered(*words: Any, **more: Any) -> None:
        terminate(*words, **more)
        raise ConnectionError("the answer was lost")

    client.set_terminated = applied_but_unanswered  # type: ignore[method-assign]
    folder.write(folder.read().changed(status="KILLED"))
    with suppress(ServiceError, ConnectionError):
        drain(folder, settings, client)
    mlflow_id = store.open(run_id).mlflow_id
    assert client.get_run(mlflow_id).info.status == "KILLED"
    folder.write(folder.read().changed(status="FINISHED"))
    store.drain(run_id)
    assert client.get_run(mlflow_id).info.status == "FINISHED"


def test_a_finished_run_that_is_trained_again_and_killed_is_killed_before_mlflow_says_so(
    store: RunStore, settings: Settings
) -> None:
    run_id = make(store, {"loss": 1.0}, name="again")
    store.drain(run_id)
    folder = RunFolder(settings.runs / run_id)
    assert store.open("again").status == "FINISHED"
    folder.write(folder.read().changed(status="RUNNING", ended=None))
    later = folder.read().started / 1000 + 60
    os.utime(folder.path / "run.json", (later, later))
    assert store.open("again").status == "KILLED"


READER = """
import sys
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
seen = 0
while seen < 300:
    steps, values, _ = RunStore(Settings.read()).open(sys.argv[1]).history("loss")
    assert steps.tolist() == list(range(1, len(steps) + 1)), steps
    assert values.tolist() == [1 / step for step in steps.tolist()]
    assert len(steps) >= seen
    seen = len(steps)
"""


def test_t12_two_readers_of_a_live_run_hold_nothing_and_see_whole_points(
    store: RunStore, home: Path
) -> None:
    with begin(store) as writer:
        words = [sys.executable, "-c", READER, writer.run_id]
        readers = [subprocess.Popen(words) for _ in range(2)]
        for step in range(1, 301):
            writer.log_metrics({"loss": 1 / step}, step)
            time.sleep(0.005)
        assert [reader.poll() for reader in readers] == [None, None]  # they read while it runs
        writer.finish("FINISHED")
    assert [reader.wait(60) for reader in readers] == [0, 0]


class Slow:
    """A client whose server does not answer in time what holds more than a hundred points."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def log_batch(self, run: str, metrics: Any = (), **others: Any) -> None:
        if len(metrics) > 100:
            raise ConnectionError("no answer in time")
        self._client.log_batch(run, metrics=metrics, **others)


def test_k1_a_server_too_slow_for_large_batches_gets_smaller_ones(
    store: RunStore, settings: Settings
) -> None:
    run_id = make(store, {f"m{i}": float(i) for i in range(700)})
    store._client = Slow(connect(settings))  # type: ignore[assignment]
    for _ in range(5):
        with suppress(ServiceError):
            store.drain(run_id)
    assert store.undrained() == []
    client = connect(settings)
    stored = client.get_run(store.open(run_id).mlflow_id)
    assert {k: v for k, v in stored.data.metrics.items() if k[0] == "m"} == {
        f"m{i}": float(i) for i in range(700)
    }


class Counted:
    """A client that counts what is asked of it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.searches = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def search_runs(self, *words: Any, **options: Any) -> Any:
        self.searches += 1
        return self._client.search_runs(*words, **options)


def test_a_server_is_asked_for_its_ended_runs_once_by_all_stores(
    store: RunStore, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = make(store, {"loss": 0.5})
    store.drain(run_id)
    # The same store by MLflow's client, as a server is asked; on another machine.
    monkeypatch.setattr("gapwise.tracking.store.sqlite_file", lambda _: None)
    away = replace(settings, home=tmp_path / "b")
    client: Any = Counted(connect(settings))

    def other() -> RunStore:
        made = RunStore(away)
        made._client = client
        return made

    assert other().open(run_id).metrics["loss"] == 0.5
    assert client.searches == 1
    assert other().rows()["run_id"].tolist() == [run_id]
    listed = client.searches
    assert other().open(run_id).name == store.open(run_id).name
    assert client.searches == listed
    client.delete_run(other().open(run_id).mlflow_id)
    other().list_anew(3600)
    assert other().rows()["run_id"].tolist() == [run_id]
    other().list_anew(0)
    assert other().rows().empty
