"""Predictions, plans, and what may be imported on a bare GPU machine."""

import multiprocessing.process
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError, StorageError, UsageError
from gapwise.labels import one_class
from gapwise.records import SPLITS, Job, NumericPlan
from gapwise.training import plan as plans
from gapwise.training.job import run_job
from gapwise.training.plan import choose_plan
from gapwise.training.predict import load_network, predict

Make = Callable[..., Job]


@pytest.fixture
def done(make_job: Make) -> Job:
    job = make_job(epochs=3)
    run_job(job)
    return job


@pytest.mark.parametrize("split", SPLITS)
def test_predictions_of_every_split(done: Job, digits: Prepared, split: str) -> None:
    predictions = predict(Path(done.folder), done, digits, split)
    positions = digits.indices(split)
    assert predictions.example_id.tolist() == digits.ids[positions].tolist()
    assert predictions.target.tolist() == digits.targets[positions].tolist()
    assert predictions.error.tolist() == (predictions.predicted != predictions.target).tolist()
    assert predictions.scores is not None
    assert predictions.scores.shape == (len(positions), 10)
    assert (predictions.scores.argmax(1) == predictions.predicted).all()
    assert predictions.loss is not None
    right = predictions.scores[np.arange(len(positions)), predictions.target]
    assert predictions.loss == pytest.approx(-np.log(right), rel=1e-3, abs=1e-5)
    assert (predictions.weight == 1).all()


def test_predictions_are_the_same_twice(done: Job, digits: Prepared) -> None:
    first, second = (predict(Path(done.folder), done, digits, "train") for _ in range(2))
    assert first.scores is not None
    assert second.scores is not None
    assert first.scores.tobytes() == second.scores.tobytes()


def test_an_empty_split_gives_no_rows(
    done: Job, digits: Prepared, write_prepared: Callable[..., Prepared], tmp_path: Path
) -> None:
    split = np.where(digits.split == "test", "", digits.split)
    bare = write_prepared(tmp_path / "bare", digits.inputs, digits.targets, list(split))
    assert len(predict(Path(done.folder), done, bare, "test")) == 0


def test_network_alone_says_the_same(done: Job, digits: Prepared) -> None:
    model = load_network(Path(done.folder))
    positions = digits.indices("dev")
    with torch.inference_mode():
        scores = model.task.scores(model(torch.from_numpy(digits.inputs[positions])))
    stored = predict(Path(done.folder), done, digits, "dev").scores
    assert np.allclose(scores.numpy(), stored, atol=1e-5)
    assert model.spec.classes == digits.classes
    assert not model.training


def test_no_checkpoint_yet_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds no checkpoint of a whole epoch"):
        load_network(tmp_path)


def test_l2_class_map_of_other_data_is_refused(
    done: Job, digits: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digits, "labels", one_class(tuple("987654321x")))
    with pytest.raises(UsageError, match="predict with the data of its run"):
        predict(Path(done.folder), done, digits, "dev")


def test_a_short_training_keeps_plain_float32(make_job: Make, digits: Prepared) -> None:
    plan = choose_plan(make_job(device="cpu").pipeline, digits)
    assert plan == NumericPlan(threads=plans.available_cores(), fused=True)


def test_a_long_training_takes_what_measures_fastest(
    make_job: Make, digits: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[NumericPlan] = []

    def seconds(plan: NumericPlan, *_: object) -> float:
        tried.append(plan)
        return {True: 0.5, False: 1.0}[plan.channels_last] + (plan.dtype == "bfloat16") * 0.1

    monkeypatch.setattr(plans, "_seconds_a_step", seconds)
    plan = choose_plan(make_job(device="cpu", network="small-cnn").pipeline, digits)
    assert plan == NumericPlan(channels_last=True, threads=plans.available_cores(), fused=True)
    assert len({(p.dtype, p.channels_last) for p in tried}) == 4


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_stated_precision_is_kept(make_job: Make, digits: Prepared, precision: str) -> None:
    job = make_job(device="cpu", precision=precision, threads=1, epochs=2)
    plan = choose_plan(job.pipeline, digits)
    assert (plan.dtype, plan.threads) == (precision, 1)
    assert run_job(replace(job, plan=plan)).epochs == 2


def test_threads_are_set_back(make_job: Make) -> None:
    before = torch.get_num_threads()
    run_job(make_job(epochs=1, plan=NumericPlan(threads=before + 1)))
    assert torch.get_num_threads() == before


def test_t6_training_starts_no_process_that_could_be_lost(
    make_job: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches are made in the process that trains: there are no loaders to be killed."""

    def refused(*_: object, **__: object) -> None:
        pytest.fail("a process was started")

    monkeypatch.setattr(os, "fork", refused)
    monkeypatch.setattr(subprocess, "Popen", refused)
    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", refused)
    assert run_job(make_job(epochs=1)).epochs == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_w5_a_device_that_is_not_here_is_refused(make_job: Make, digits: Prepared) -> None:
    with pytest.raises(UsageError, match="device cuda:3 is not here"):
        run_job(make_job(plan=NumericPlan(device="cuda:3")))
    with pytest.raises(UsageError, match="device cuda:3 is not here"):
        choose_plan(make_job(device="cuda:3").pipeline, digits)


def test_unknown_network_gets_its_nearest_name(make_job: Make) -> None:
    with pytest.raises(PipelineError, match="did you mean lenet5"):
        run_job(make_job(network="lenet"))


def test_a_pipeline_that_is_not_resolved_is_refused(make_job: Make) -> None:
    job = make_job()
    bare = {k: v for k, v in job.pipeline.items() if k != "training"}
    with pytest.raises(PipelineError, match=r"lacks the key 'training\.optimizer'"):
        run_job(replace(job, pipeline=bare))


def test_runs_on_a_bare_gpu_machine() -> None:
    banned = "pydantic pandas mlflow ruamel pyarrow sklearn streamlit sqlalchemy optuna PIL"
    code = (
        "import sys\n"
        f"for name in {banned.split()}: sys.modules[name] = None\n"
        "import gapwise.training.job, gapwise.training.plan, gapwise.training.predict\n"
        "from gapwise.networks.base import NETWORKS\n"
        "from gapwise.tasks.base import TASKS\n"
        "from gapwise.training.optimizers.base import OPTIMIZERS\n"
        "from gapwise.training.schedules.base import SCHEDULES\n"
        "for family in (NETWORKS, TASKS, OPTIMIZERS, SCHEDULES): list(family)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
