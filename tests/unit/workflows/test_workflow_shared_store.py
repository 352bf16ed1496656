"""A search whose workers share no folder with its driver: all goes through S3 (moto's server)."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from gapwise.errors import BusyError, ServiceError, StoppedError, TrainingError, UsageError
from gapwise.records import NumericPlan
from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.store import RunStore
from gapwise.workflows.far_trainings import FarRun, train_far
from gapwise.workflows.job_file import read_job
from gapwise.workflows.prepare import ready
from gapwise.workflows.search import Searched, SearchRequest, search
from gapwise.workflows.seed_run import Batch
from gapwise.workflows.shared_store import SharedStore
from gapwise.workflows.train import resume, train

PIPELINE = """
data:
  dataset: digits
splits: {dev: 300, test: 100, train_dev: 100, target_in_train: 300}
network: {name: multilayer-perceptron, hidden: [16]}
training:
  epochs: 4
  batch_size: 64
  optimizer: {name: adam, lr: 1e-3}
  device: cpu
search:
  space:
    training.optimizer.lr: {scale: log, low: 1e-4, high: 1e-1}
  rounds: [{trials: 6, sampler: sobol}]
  rungs: {first: 1, eta: 2}
  confirm: {seeds: 2}
  together: 1
"""

QUICK = [
    "splits={dev: 300, test: 100, train_dev: 100, target_in_train: 300}",
    "network={name: multilayer-perceptron, hidden: [16]}",
    "training.device=cpu",
    "training.threads=1",
    "training.epochs=6",
]


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """An S3 on a free port of this machine."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield
    server.stop()


@pytest.fixture
def bucket(server: None, request: pytest.FixtureRequest) -> str:
    """The address of a bucket of the test's own."""
    name = f"team-{abs(hash(request.node.name))}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/gapwise"


def keys(bucket: str) -> list[str]:
    found = boto3.client("s3").list_objects_v2(Bucket=bucket.split("/")[2])
    return [one["Key"] for one in found.get("Contents", [])]


def searched(tmp_path: Path, workers: str) -> Searched:
    path = tmp_path / "tiny.yaml"
    path.write_text(PIPELINE)
    return search(SearchRequest(name=str(path), workers=workers))


def test_workers_without_a_shared_folder_find_what_workers_with_one_find(
    home: Path, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_SHARED", bucket)
    far = searched(tmp_path, "1")
    settings = Settings.read()
    assert settings.shared == bucket
    # Trials trained in the worker's own place, from data that came through the store.
    (data,) = (settings.cache / "far" / "data").iterdir()
    assert (data / "inputs.npy").is_file()
    left = {key.removeprefix("gapwise/").split("/")[0] for key in keys(bucket)}
    assert left == {"data", "runs"}  # trials' checkpoints went when their runs were whole
    run = RunStore(settings).open(far.as_json()["best"]["run_id"])
    assert run.status == "FINISHED"

    monkeypatch.delenv("GAPWISE_SHARED")
    monkeypatch.setenv("GAPWISE_HOME", str(tmp_path / "other"))
    near = searched(tmp_path, "1")
    told = [[(t.parameters, t.state, t.value) for t in one.state.trials] for one in (far, near)]
    assert told[0] == told[1]
    numbers = ("difference", "low", "high", "winner_error", "incumbent_error")
    assert far.state.confirmed is not None
    assert near.state.confirmed is not None
    assert [far.state.confirmed[k] for k in numbers] == [near.state.confirmed[k] for k in numbers]


def test_whole_trainings_go_there_and_back(
    home: Path, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_SHARED", bucket)
    settings = Settings.read()
    far = train("digits", QUICK, seeds=2, workers="1")
    store = RunStore(settings)
    runs = [store.open(run_id) for run_id in far.run_ids]
    assert [run.status for run in runs] == ["FINISHED", "FINISHED"]
    # Only the data stays in the store; the runs are whole here, and in MLflow.
    assert {key.removeprefix("gapwise/").split("/")[0] for key in keys(bucket)} == {"data"}
    mine = connect(settings).get_run(runs[0].mlflow_id)
    assert mine.info.status == "FINISHED"
    assert mine.data.metrics["dev_error"] == runs[0].metrics["dev_error"]
    assert read_job(runs[0].folder).data == str(ready("digits", settings, QUICK).folder)
    assert resume(far.run_ids[0]).diagnosis.ladder

    monkeypatch.delenv("GAPWISE_SHARED")
    near = train("digits", QUICK, seeds=2, workers="1")
    assert near.diagnosis.ladder == far.diagnosis.ladder


class Worker:
    """Hears of a stop after so many asks."""

    def __init__(self, asks: int) -> None:
        self.asks, self.epochs = asks, []

    def should_stop(self) -> bool:
        self.asks -= 1
        return self.asks < 0

    def alive(self, news: dict[str, float]) -> None:
        if "dev_error" in news:
            self.epochs.append(news["epoch"])


def far_run(settings: Settings, run_id: str) -> FarRun:
    start = ready("digits", settings, QUICK)
    batch = Batch(
        pipeline=start.pipeline,
        prepared=start.prepared,
        plan=NumericPlan(),
        seeds=(0,),
        group=None,
        run_name=None,
        root="",
    )
    return FarRun(batch, 0, run_id, settings)


def test_a_training_goes_on_from_what_an_attempt_before_it_sent(
    home: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_SHARED", bucket)
    settings = Settings.read()
    far, other = (far_run(settings, digit * 32) for digit in "12")
    with pytest.raises(BusyError, match="in use by process"):  # its driver holds it
        resume(far.order.run_id)
    first, second, whole = Worker(40), Worker(10_000), Worker(10_000)
    with pytest.raises(StoppedError):
        train_far(far.order, first)
    gone_on = train_far(far.order, second)
    assert first.epochs
    assert second.epochs == list(range(first.epochs[-1] + 1, 7))
    assert gone_on.curve == train_far(other.order, whole).curve
    far.bring()
    run = RunStore(settings).open(far.order.run_id)
    assert run.status == "FINISHED"
    assert len(run.needed_predictions("dev").read_bytes()) > 0


def test_a_run_that_a_killed_driver_left_in_the_store_goes_on_here(
    home: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_SHARED", bucket)
    settings = Settings.read()
    far, other = (far_run(settings, digit * 32) for digit in "12")
    assert RunStore(settings).open(far.order.run_id).status == "RUNNING"
    with pytest.raises(StoppedError):
        train_far(far.order, Worker(40))
    far.close()  # as the end of its process does
    assert RunStore(settings).open(far.order.run_id).status == "KILLED"
    assert not (settings.runs / far.order.run_id / "checkpoints").exists()
    resumed = resume(far.order.run_id)
    run = RunStore(settings).open(far.order.run_id)
    assert run.status == "FINISHED"
    assert not [key for key in keys(bucket) if far.order.run_id in key]
    train_far(other.order, Worker(10_000))
    other.bring()
    assert resume(other.order.run_id).diagnosis.ladder == resumed.diagnosis.ladder


def test_a_store_that_fails_costs_its_own_runs_which_resume_brings(
    home: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_SHARED", bucket)
    fetch, send = SharedStore.fetch_tree, SharedStore.send_tree

    def fails_once(call: Any) -> Any:
        def called(store: SharedStore, *args: Any) -> None:
            if call in failing:
                failing.remove(call)
                raise ServiceError("the store is away")
            call(store, *args)

        return called

    failing = [fetch]
    monkeypatch.setattr(SharedStore, "fetch_tree", fails_once(fetch))
    with pytest.raises(TrainingError, match=r"the store is away; gapwise resume .* brings") as told:
        train("digits", QUICK, seeds=2, workers="1")
    assert str(told.value).startswith("seed 0 (run ")
    settings = Settings.read()
    rows = RunStore(settings).rows().set_index("seed")
    assert rows["status"].to_dict() == {0: "KILLED", 1: "FINISHED"}
    resume(rows["run_id"][0])
    assert RunStore(settings).open(rows["run_id"][0]).status == "FINISHED"

    failing = [send]
    monkeypatch.setattr(SharedStore, "send_tree", fails_once(send))
    with pytest.raises(TrainingError, match=r"seed 0 \(run .*\) failed: the store is away$"):
        train("digits", QUICK, workers="1")
    resume("latest")  # the run was made, and is free


def test_what_was_cut_off_while_it_was_sent_is_not_taken_for_whole(
    bucket: str, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.npy").write_bytes(b"abc")
    store = SharedStore(bucket)
    store.send(source, "data/1")  # as a driver that was killed before its last word
    with pytest.raises(ServiceError, match="holds no whole data/1"):
        store.fetch_once("data/1", tmp_path / "there")
    assert not (tmp_path / "there").exists()
    store.send_once(source, "data/1")
    assert (store.fetch_once("data/1", tmp_path / "there") / "a.npy").read_bytes() == b"abc"
    (source / "a.npy").unlink()
    (source / "b.json").write_text("{}")
    store.send(source, "data/1")
    assert [key for key in keys(bucket) if "data/1" in key] == ["gapwise/data/1/b.json"]
    store.remove("data/1")
    assert keys(bucket) == []


def test_a_store_that_is_away_or_unknown_is_told(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    with pytest.raises(ServiceError, match=r"store s3://nobody/x does not answer: .*credentials"):
        SharedStore("s3://nobody/x").send(tmp_path / "a", "data")
    with pytest.raises(UsageError, match="GAPWISE_SHARED is 's4://team'"):
        SharedStore("s4://team")
