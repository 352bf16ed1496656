"""A team's servers as plain processes: PostgreSQL for all databases, MLflow's server, S3.

The commands and variables are those of ``docker/compose.yaml``; two people with homes of their own.
"""

import http.client
import logging
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from ruamel.yaml import YAML

from gapwise.errors import ServiceError
from gapwise.ledger import tags
from gapwise.ledger.ledger import Ledger
from gapwise.search.event_log import EventLog
from gapwise.search.events import State
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking import spool
from gapwise.tracking.client import connect
from gapwise.tracking.store import RunStore
from gapwise.workflows import example_pictures
from gapwise.workflows.backup import back_up, restore
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.doctor import examine
from gapwise.workflows.move import embedded, move
from gapwise.workflows.prepare import ready
from gapwise.workflows.search import SearchRequest, search
from gapwise.workflows.train import train

COMPOSE = YAML(typ="safe", pure=True).load(
    (Path(__file__).parents[3] / "docker" / "compose.yaml").read_text()
)
DEV = "predictions/dev.parquet"
LONGER = ["search.rounds=[{trials: 6}]", "training.epochs=6"]
SEARCH = ["search.rounds=[{trials: 3}]", "training.epochs=2"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An S3 with the bucket of the compose file."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port)
    server.start()
    for name in ("AWS_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    boto3.client("s3").create_bucket(Bucket="gapwise")
    yield
    server.stop()


@pytest.fixture
def team(
    storage: None, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator["Servers"]:  # fmt: skip
    """The servers, and the variables that name them."""
    port = free_port()
    service = COMPOSE["services"]["mlflow"]
    changed = {
        "--host": "127.0.0.1", "--port": str(port), "--workers": "1",
        "--backend-store-uri": new_database(), "--allowed-hosts": f"127.0.0.1:{port}",
    }  # fmt: skip
    options = dict(word.split("=", 1) for word in service["command"][2:]) | changed
    words = [f"{name}={value}" for name, value in options.items()]
    environment = os.environ | {
        name: str(service["environment"][name])
        for name in ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "MLFLOW_ALLOW_MODEL_CODE_EXECUTION")
    }
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("GAPWISE_LEDGER_URL", new_database())
    monkeypatch.setenv("GAPWISE_STUDIES_URL", new_database())
    with (tmp_path / "mlflow.log").open("w") as log:
        words = [sys.executable, "-m", "mlflow", "server", *words]
        start = partial(
            subprocess.Popen, words, env=environment, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        servers = Servers(port, start)
        servers.start()
        try:
            yield servers
        finally:
            servers.kill()


@dataclass
class Servers:
    """MLflow's server, which can be killed and started again."""

    port: int
    begin: Callable[[], "subprocess.Popen[bytes]"]
    running: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.running = self.begin()
        wait_for(self.port, self.running)

    def kill(self) -> None:
        if self.running is not None:
            os.killpg(self.running.pid, 9)
            self.running.wait(20)
            self.running = None


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.3)
        finally:
            connection.close()
    pytest.fail("MLflow's server did not start")


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Settings]:
    """Sit down at another machine: a home and a cache of its own, the same servers."""

    def sit(name: str) -> Settings:
        monkeypatch.setenv("GAPWISE_HOME", str(tmp_path / name / "home"))
        monkeypatch.setenv("GAPWISE_CACHE", str(tmp_path / name / "cache"))
        monkeypatch.setenv("GAPWISE_AUTHOR", name)
        return Settings.read()

    return sit


def check_examples(run_id: str, hers: Settings, his: Settings, tmp_path: Path) -> None:
    """What she predicted is fetched whole; the pictures are there once he has prepared the data."""
    run = RunStore(his).open(run_id)
    with ThreadPoolExecutor(8) as people:  # who comes while a file is on its way waits for it
        paths = list(people.map(lambda _: tables.read(run.artifact(DEV), split="dev"), range(8)))
    assert {len(table) for table in paths} == {len(paths[0])}
    example = str(paths[0].example_id[0])
    hers.cache.rename(tmp_path / "elsewhere")
    assert example_pictures.of_run(run, RunStore(his), "dev")(example) is None
    ready("digits", his)
    drawn = example_pictures.of_run(run, RunStore(his), "dev")(example)
    (tmp_path / "elsewhere").rename(hers.cache)
    assert drawn is not None
    assert drawn.max() > 0


def test_two_people_share_runs_searches_and_a_ledger(
    team: Servers, person: Callable[[str], Settings], tmp_path: Path,
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    hers = person("ann")
    levels = "human=[{name: one clerk, error: 0.02, n: 500}]"
    run_id = train("digits", ["training.epochs=2", levels]).run_ids[0]
    told = diagnose_runs([run_id]).as_json()
    found = search(SearchRequest(name="digits", overrides=SEARCH, workers="in-process"))
    for one in RunStore(hers).undrained():  # what is still on its way
        RunStore(hers).drain(one)
    objects = boto3.client("s3").list_objects_v2(Bucket="gapwise", Prefix="artifacts/")
    assert objects["KeyCount"] > 5

    # The other has nothing of it on the machine, and sees the same.
    his = person("bob")
    assert not his.runs.exists()
    assert run_id in set(RunStore(his).rows()["run_id"])
    assert diagnose_runs([run_id]).as_json() == told
    check_examples(run_id, hers, his, tmp_path)
    ledger = Ledger(his.ledger_url)
    ledger.append_all([tags.tagged("digits", "x", "thin", author="bob")])
    assert {event.author for event in Ledger(hers.ledger_url).events()} >= {"bob"}
    again = search(SearchRequest(name="digits", overrides=SEARCH, workers="in-process"))
    assert again.study == found.study  # it is over there already: nothing is tried twice

    # All of hers is saved, and comes back into other servers.
    person("ann")
    assert examine()["healthy"], examine()
    saved = back_up(tmp_path / "saved")
    assert saved["events"] == ledger.revision()
    monkeypatch.setenv("GAPWISE_LEDGER_URL", new_database())
    monkeypatch.setenv("GAPWISE_STUDIES_URL", new_database())
    new = person("second")
    restore(tmp_path / "saved", new)
    assert Ledger(new.ledger_url).events()[-1].hash == ledger.events()[-1].hash
    assert diagnose_runs([run_id]).as_json()["ladder"] == told["ladder"]

    # And out of the servers again: a folder that opens alone.
    move(new, embedded(tmp_path / "alone"), "digits")
    assert run_id in set(RunStore(embedded(tmp_path / "alone")).rows()["run_id"])
    # As well by him, who has no folder of any run.
    alone = embedded(tmp_path / "his")
    moved = move(person("bob"), alone, "digits")
    assert (moved.runs, moved.left) == (len(RunStore(hers).rows("digits")), 0)
    assert diagnose_runs([run_id], settings=alone).as_json()["ladder"] == told["ladder"]
    rows = RunStore(alone).rows().set_index("run_id")
    kinds = rows["kind"]
    tags_of = RunStore(alone).open(kinds.index[kinds == "trial"][0]).tags
    assert kinds[tags_of["gapwise.parent"]] == "round"
    assert move(his, alone, "digits").runs == 0


def keep_tagging(ledger: Ledger, is_over: Event) -> list[str]:
    """Tag as the desk does, whose outbox sends again; return the keys that were acknowledged."""
    kept: list[str] = []
    while not is_over.wait(0.05):
        entry = replace(tags.tagged("digits", "x", "thin", author="ann"), key=uuid.uuid4().hex)
        with suppress(ServiceError):
            ledger.append_all([entry])
            kept.append(entry.key)
    return kept


def trials_of(settings: Settings, study: str) -> list[int]:
    """Return the numbers of a search's trials, each of which has a result."""
    state = State()
    for event in EventLog(settings.studies_url).read(study):
        state.apply(event)
    assert all(trial.rungs for trial in state.trials)
    return [trial.number for trial in state.trials]


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.faults)])
def test_k1_servers_that_go_away_in_a_search_cost_nothing(
    team: Servers, postgresql_server: Any, person: Callable[[str], Settings], seconds: float
) -> None:
    """MLflow's server is killed, PostgreSQL cut off; people tag all the while."""
    mine, is_over = person("ann"), Event()
    ledger = Ledger(mine.ledger_url)

    def go_away() -> None:
        time.sleep(4)
        team.kill()
        postgresql_server.control("stop")
        time.sleep(seconds)
        postgresql_server.control("start")
        team.start()

    with ThreadPoolExecutor(2) as people:
        tagging, outage = people.submit(keep_tagging, ledger, is_over), people.submit(go_away)
        try:
            asked = SearchRequest(name="digits", overrides=LONGER, workers="in-process")
            found = search(asked)
            outage.result(240)
        finally:
            is_over.set()
        kept = tagging.result(60)

    assert trials_of(mine, found.study) == list(range(6))
    assert ledger.verify() == ledger.revision()
    assert set(kept) <= {event.key for event in ledger.events()}
    assert len(kept) > 10
    store, client = RunStore(mine), connect(mine)
    for one in store.undrained():
        store.drain(one)
    for run_id in store.rows()["run_id"]:
        run = store.open(run_id)
        known = spool.history(run.folder / "spool.jsonl", "dev_error")
        there = client.get_metric_history(run.mlflow_id, "dev_error")
        assert sorted((m.step, m.value) for m in there) == [(p.step, p.value) for p in known]
        assert client.get_run(run.mlflow_id).info.status == run.status != "RUNNING"
    assert sum(kind == "trial" for kind in store.rows()["kind"]) == 6
