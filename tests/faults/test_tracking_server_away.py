"""K1: the tracking server is away, slow, wrong or cuts replies: nothing is lost, nothing is twice.

A real MLflow server behind a proxy that misbehaves on request.
"""

import http.client
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gapwise.errors import ServiceError
from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.store import RunStore


@pytest.fixture(scope="module")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the MLflow server keeps what it has."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(server_folder: Path) -> Iterator[int]:
    """The port of a real MLflow server."""
    folder = server_folder
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/m.db", "--workers", "1"]
    places = ["--artifacts-destination", str(folder / "artifacts")]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(
        [*command, *stores, *places],
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.3)
        finally:
            connection.close()
    pytest.fail("the MLflow server did not start")


@pytest.fixture
def proxy(server: int, broken_server: ModuleType) -> Iterator[Any]:
    proxy = broken_server.Proxy(server)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield proxy
    proxy.over.set()
    proxy.shutdown()
    proxy.server_close()


@pytest.fixture
def settings(home: Path, proxy: Any, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = f"http://127.0.0.1:{proxy.server_address[1]}"
    return replace(Settings.read(), tracking_uri=uri, mirror=False)


def write_run(settings: Settings, points: int = 1200) -> str:
    with RunStore(settings).create(
        experiment="away", name=None, kind="train", seed=3, group=None, dataset="d"
    ) as writer:
        writer.log_parameters({"training": {"epochs": 3}})
        writer.log_dataset("d", "0" * 64, "here")
        for step in range(points):
            writer.log_metric("loss", 1 / (step + 1), step)
        writer.log_metric("dev_error", float("inf"), 0)
        note = writer.folder / "note.txt"
        note.write_text("kept")
        writer.log_file(note, "notes")
        writer.finish("FINISHED")
    return writer.run_id


def check_whole(settings: Settings, run_id: str, points: int = 1200) -> None:
    client = connect(settings)
    stored = RunStore(settings).open(run_id)
    (row,) = [r for r in RunStore(settings)._rows("away") if r.run_id == run_id]
    history = client.get_metric_history(row.mlflow_id, "loss")
    assert len(history) == points
    assert {p.step: p.value for p in history} == {s: 1 / (s + 1) for s in range(points)}
    assert stored.status == "FINISHED"
    run = client.get_run(row.mlflow_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"training.epochs": "3"}
    assert [d.dataset.name for d in run.inputs.dataset_inputs] == ["d"]
    assert [a.path for a in client.list_artifacts(row.mlflow_id, "notes")] == ["notes/note.txt"]
    experiment = client.get_experiment_by_name("away")
    same = client.search_runs([experiment.experiment_id], f"tags.`gapwise.run` = '{run_id}'")
    assert len(same) == 1


@pytest.mark.parametrize("mode", ["drop", "500", "401", "slow", "cut"])
def test_k1_server_fails_while_a_run_is_sent(
    settings: Settings, proxy: Any, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(settings)
    run_id = write_run(settings)
    proxy.mode = mode
    with monkeypatch.context() as hasty:
        hasty.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
        with pytest.raises(ServiceError, match="does not answer"):
            store.drain(run_id)
    assert proxy.log[mode] >= 1
    assert store.open(run_id).metrics["loss"] == 1 / 1200
    assert store.undrained() == [run_id]

    proxy.mode = "pass"
    store.drain(run_id)
    check_whole(settings, run_id)
    assert store.undrained() == []


def test_k1_every_first_reply_is_cut(settings: Settings, proxy: Any) -> None:
    """Each request reaches the server, each first reply is lost: all is sent twice, nothing is."""
    store = RunStore(settings)
    run_id = write_run(settings)
    proxy.mode = "cut first"
    for _ in range(12):
        try:
            store.drain(run_id)
            break
        except ServiceError:
            continue
    assert len(proxy.seen) >= 6
    # MLflow compares points that it may have with all of a run's, so none are sent again.
    points = [n for (path, body), n in proxy.passed.items() if b'"metrics": [{' in body]
    assert points == [1, 1]
    proxy.mode = "pass"
    check_whole(settings, run_id)


def test_k1_training_does_not_wait_for_a_server_that_hangs(settings: Settings, proxy: Any) -> None:
    proxy.mode = "slow"
    mirrored = replace(settings, mirror=True)
    with RunStore(mirrored).create(
        experiment="away", name=None, kind="train", seed=3, group=None, dataset="d"
    ) as writer:
        begun = time.perf_counter()
        for step in range(1000):
            writer.log_metric("loss", 0.5, step)
        assert time.perf_counter() - begun < 0.5
        begun = time.perf_counter()
        assert writer.finish("FINISHED") is False
        assert time.perf_counter() - begun < 8
    assert RunStore(settings).open(writer.run_id).status == "FINISHED"


def test_k1_nobody_listens(home: Path, settings: Settings) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = replace(settings, tracking_uri=f"http://127.0.0.1:{free.getsockname()[1]}")
    run_id = write_run(nowhere, points=10)
    with pytest.raises(ServiceError, match="does not answer"):
        RunStore(nowhere).drain(run_id)
    RunStore(settings).drain(run_id)
    check_whole(settings, run_id, points=10)


def test_a_password_in_the_address_is_neither_shown_nor_stored(settings: Settings) -> None:
    secret = settings.tracking_uri.replace("http://", "http://ann:hunter2@")
    run_id = write_run(settings, points=3)
    RunStore(replace(settings, tracking_uri=secret)).drain(run_id)
    written = (settings.runs / run_id / "drained.json").read_text()
    assert "hunter2" not in written
    assert RunStore(settings).undrained() == []


@pytest.mark.parametrize("mode", ["half", "503"])
def test_a4_a_run_is_not_finished_before_its_files_are_there_whole(
    settings: Settings, proxy: Any, mode: str
) -> None:
    store = RunStore(settings)
    run_id = write_run(settings, points=3)
    proxy.mode = mode
    for _ in range(2):
        with pytest.raises(ServiceError, match=r"2 of 4 bytes arrived|503|does not answer"):
            store.drain(run_id)
        (row,) = [r for r in RunStore(settings)._rows("away") if r.run_id == run_id]
        assert connect(settings).get_run(row.mlflow_id).info.status == "RUNNING"
        assert store.undrained() == [run_id]
    proxy.mode = "pass"
    store.drain(run_id)
    check_whole(settings, run_id, points=3)


MANY = 1_000_000
NAMES = tuple(f"metric {i}" for i in range(10))


@pytest.mark.faults
def test_k1_1_000_000_points_through_a_broken_server(
    settings: Settings, proxy: Any, server_folder: Path
) -> None:
    """Of its requests three in seven are dropped, refused or done and answered by half."""
    store = RunStore(settings)
    with store.create(
        experiment="broken", name=None, kind="train", seed=3, group=None, dataset="d"
    ) as writer:
        for step in range(MANY // len(NAMES)):
            writer.log_metrics(dict.fromkeys(NAMES, step / 7), step)
        writer.finish("FINISHED")
    proxy.mode = "any"
    rounds = 0
    while store.undrained():
        rounds += 1
        assert rounds < 5000
        with suppress(ServiceError):
            store.drain(writer.run_id)
    print(f"{rounds} rounds, {dict(proxy.log)}")  # noqa: T201 - what the figures are made of
    assert min(proxy.log[mode] for mode in ("drop", "500", "cut", "late")) > 20
    query = "SELECT key, count(*), count(DISTINCT step), sum(value * 7) FROM metrics WHERE key LIKE"
    with closing(sqlite3.connect(server_folder / "m.db")) as connection:
        rows = connection.execute(f"{query} 'metric %' GROUP BY key").fetchall()
    each = MANY // len(NAMES)
    assert sorted(key for key, *_ in rows) == sorted(NAMES)
    for _, count, steps, total in rows:
        assert (count, steps) == (each, each)
        assert total == pytest.approx(each * (each - 1) / 2)
