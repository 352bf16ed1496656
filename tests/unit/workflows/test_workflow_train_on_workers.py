"""Whole trainings on workers, and the line that they wait in."""

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from gapwise.errors import StoppedError, TrainingError, UsageError
from gapwise.records import JobResult
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.client import connect
from gapwise.tracking.store import RunStore
from gapwise.workers.base import Context
from gapwise.workflows import train_on_workers
from gapwise.workflows.job_file import read_job
from gapwise.workflows.train import Trained, train
from gapwise.workflows.train_on_workers import Order
from gapwise.workflows.turns import Turns

QUICK = [
    "splits={dev: 300, test: 100, train_dev: 100, target_in_train: 300}",
    "network={name: multilayer-perceptron, hidden: [16]}",
    "training.device=cpu",
    "training.threads=1",
]


def trained(workers: str, epochs: int, seeds: int = 2) -> Trained:
    return train("digits", [*QUICK, f"training.epochs={epochs}"], seeds=seeds, workers=workers)


def errors_of(run_id: str) -> list[float]:
    run = RunStore(Settings.read()).open(run_id)
    return tables.read(run.needed_predictions("dev")).error.tolist()


def kill_a_worker(settings: Settings) -> None:
    """Kill the worker that trains, once it has saved a checkpoint."""
    deadline = time.monotonic() + 60
    while not list(settings.runs.glob("*/checkpoints/step-*.json")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    workers = multiprocessing.active_children()
    next(one for one in workers if one.name == "gapwise-worker").kill()


def test_w1_seeds_on_workers_are_the_runs_of_this_process_though_one_is_killed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings.read()
    killer = threading.Thread(target=kill_a_worker, args=(settings,))
    killer.start()
    there = trained("2", 40)
    killer.join()
    assert "another worker goes on with it" in capsys.readouterr().err
    here = trained("", 40)
    assert [errors_of(one) for one in there.run_ids] == [errors_of(one) for one in here.run_ids]
    assert there.diagnosis.ladder == here.diagnosis.ladder
    store = RunStore(settings)
    runs = [store.open(one) for one in there.run_ids]
    assert [run.status for run in runs] == ["FINISHED", "FINISHED"]
    assert runs[0].group is not None
    assert runs[0].group == runs[1].group
    mine = connect(settings).get_run(runs[0].mlflow_id)
    assert mine.info.status == "FINISHED"
    points = connect(settings).get_metric_history(runs[0].mlflow_id, "dev_error")
    assert [point.step for point in points] == list(range(1, 41))
    assert not list((settings.home / "turns").glob("wait-*"))


def test_one_that_fails_is_named_and_the_others_are_trained(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = train_on_workers.train_there

    def diverges(order: Order, context: Context) -> JobResult:
        if order.seed == 0:
            raise TrainingError("the loss is nan at step 3; lower training.optimizer.lr")
        return real(order, context)

    monkeypatch.setattr(train_on_workers, "train_there", diverges)
    with pytest.raises(TrainingError, match=r"seed 0 \(run .*\) failed: the loss is nan at step 3"):
        trained("in-process", 1)
    rows = RunStore(Settings.read()).rows(None)
    assert rows[["seed", "status"]].to_numpy().tolist() == [[1, "FINISHED"]]


def test_t3_a_signal_stops_it_at_a_checkpoint_and_resume_goes_on(home: Path) -> None:
    settings = Settings.read()

    def interrupt() -> None:
        while not list(settings.runs.glob("*/checkpoints/step-*.json")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt, daemon=True).start()
    began = time.monotonic()
    with pytest.raises(StoppedError, match="gapwise resume goes on with its runs") as caught:
        trained("1", 3000, seeds=1)
    assert caught.value.exit_code == 143
    assert time.monotonic() - began < 60
    rows = RunStore(settings).rows(None)
    assert list(rows["status"]) == ["KILLED"]
    # What was trained is there to go on with.
    job = read_job(settings.runs / rows["run_id"].iloc[0])
    assert list(Path(job.folder).glob("step-*.json"))


def test_workers_and_torchrun_are_one_too_many(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_on_workers, "started", lambda: 2)
    with pytest.raises(UsageError, match="leave --workers out"):
        trained("2", 1)


def test_turns_are_taken_in_the_order_of_coming(tmp_path: Path) -> None:
    first, second, third = (Turns(tmp_path, 1) for _ in range(3))
    turn = first.take()
    assert turn is not None
    assert second.take() is None
    assert third.take() is None
    turn.end()
    # The third asks first, but the second has waited longer.
    assert third.take() is None
    assert second.take() is not None
    second.leave()
    assert third.take() is None
    assert Turns(tmp_path / "other", 2).take() is not None


def test_turns_two_at_a_time_and_a_killed_waiter_holds_up_nobody(tmp_path: Path) -> None:
    one, two, waits = (Turns(tmp_path, 2) for _ in range(3))
    held = [one.take(), two.take()]
    assert all(turn is not None for turn in held)
    context = multiprocessing.get_context("spawn")
    killed = context.Process(target=_wait_for_ever, args=(tmp_path,))
    killed.start()
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("wait-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert waits.take() is None
    held[0].end()  # type: ignore[union-attr]
    killed.kill()
    killed.join()
    killed.close()
    assert waits.take() is not None


def _wait_for_ever(folder: Path) -> None:
    line = Turns(folder, 2)
    assert line.take() is None
    time.sleep(600)
