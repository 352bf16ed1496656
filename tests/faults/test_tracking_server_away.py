"""K1: the tracking server is away, slow, wrong or cuts replies: nothing is lost, nothing is twice.

A real MLflow server behind a proxy that misbehaves on request.
"""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gapwise.errors import ServiceError
from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.store import RunStore

SLOW = 20.0


class Proxy(ThreadingHTTPServer):
    """Passes requests on as long as ``mode`` is "pass"."""

    daemon_threads = True
    mode = "pass"

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.over = threading.Event()
        self.log: Counter[str] = Counter()
        self.seen: set[tuple[str, bytes]] = set()


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        mode = self.server.mode
        self.server.log[mode] += 1
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.close_connection = True
        if mode == "drop":
            return
        if mode == "slow":
            self.server.over.wait(SLOW)
            return
        if mode in ("500", "401"):
            self._send(int(mode), b"no")
            return
        status, content = self._passed_on(body)
        if self._is_cut(mode, body):
            # The server did it; the trainer never learns.
            self._send(status, content, sent=len(content) // 2)
            return
        self._send(status, content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815

    def _is_cut(self, mode: str, body: bytes) -> bool:
        if mode == "cut first" and self.command == "POST":
            is_first = (self.path, body) not in self.server.seen
            self.server.seen.add((self.path, body))
            return is_first
        return mode == "cut" and self.command == "POST"

    def _passed_on(self, body: bytes) -> tuple[int, bytes]:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "accept-encoding"}
        upstream.request(self.command, self.path, body, headers)
        reply = upstream.getresponse()
        content = reply.read()
        upstream.close()
        return reply.status, content

    def _send(self, status: int, content: bytes, sent: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:sent])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real MLflow server."""
    folder = tmp_path_factory.mktemp("server")
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
def proxy(server: int) -> Iterator[Proxy]:
    proxy = Proxy(server)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield proxy
    proxy.over.set()
    proxy.shutdown()
    proxy.server_close()


@pytest.fixture
def settings(home: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Settings:
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
    settings: Settings, proxy: Proxy, mode: str, monkeypatch: pytest.MonkeyPatch
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


def test_k1_every_first_reply_is_cut(settings: Settings, proxy: Proxy) -> None:
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
    proxy.mode = "pass"
    check_whole(settings, run_id)


def test_k1_training_does_not_wait_for_a_server_that_hangs(
    settings: Settings, proxy: Proxy
) -> None:
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
