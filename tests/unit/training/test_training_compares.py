"""A task that compares examples: judged by whole splits, its threshold kept with the weights."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError, StoppedError
from gapwise.records import Job
from gapwise.training.checkpoints import read_checkpoint
from gapwise.training.job import run_job
from gapwise.training.predict import load_network, predict

Make = Callable[..., Job]
VERIFY = {"task": {"name": "verify", "size": 16}}
LOGISTIC = {"task": {"name": "verify", "size": 16, "loss": "logistic"}}


class StopAfter:
    """Says stop once, after some steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == 0


def tensors(job: Job) -> dict[str, torch.Tensor]:
    return dict(read_checkpoint(Path(run_job(job).last_checkpoint)).tensors)


def test_dev_is_judged_as_a_whole_whatever_the_batches(
    make_job: Make, digits: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_job(make_job("whole", parameters=VERIFY))
    monkeypatch.setattr("gapwise.training.learner.EVALUATION_BATCH", 7)
    job = make_job("parts", parameters=VERIFY)
    parts = run_job(job)
    assert parts.curve == pytest.approx(whole.curve, abs=1e-5)
    said = predict(Path(job.folder), job, digits, "dev")
    assert said.error.mean() == pytest.approx(parts.best_dev_error, abs=1e-6)


def test_the_threshold_of_the_best_epoch_is_kept_and_lets_the_stated_share_pass(
    make_job: Make, digits: Prepared
) -> None:
    job = make_job(parameters=VERIFY)
    run_job(job)
    model = load_network(Path(job.folder))
    rows = digits.indices("dev")
    with torch.inference_mode():
        outputs = model(torch.from_numpy(np.array(digits.inputs[rows])))
        apart = model.task.distances(outputs, outputs)  # type: ignore[attr-defined]
    people = torch.from_numpy(digits.targets[rows])
    other = torch.triu(people[:, None] != people[None], 1)
    threshold = float(model.state_dict()["learned.threshold"])
    assert threshold > 0
    assert float((apart[other] <= threshold).float().mean()) == pytest.approx(0.01, abs=2e-3)


@pytest.mark.parametrize("knobs", [VERIFY, LOGISTIC])
def test_stopped_in_mid_epoch_equals_uninterrupted(
    make_job: Make, knobs: dict[str, object]
) -> None:
    average = {"weight_average": {"beta": 0.9}}
    job = make_job("straight", parameters=knobs, **average)
    straight = tensors(job)
    stopped = make_job("stopped", parameters=knobs, **average)
    with pytest.raises(StoppedError):
        run_job(stopped, should_stop=StopAfter(13))
    again = tensors(stopped)
    assert again.keys() == straight.keys()
    assert all(torch.equal(again[name], straight[name]) for name in straight)


def test_several_crops_are_refused_for_the_threshold_is_of_whole_pictures(make_job: Make) -> None:
    job = make_job(parameters=VERIFY)
    asked = replace(job, pipeline={**job.pipeline, "prediction": {"crops": 5, "margin": 1}})
    with pytest.raises(PipelineError, match=r"prediction\.crops is 5, but task verify"):
        run_job(asked)


def test_what_the_task_learns_is_averaged_with_the_weights(make_job: Make) -> None:
    found = tensors(make_job(parameters=LOGISTIC, weight_average={"beta": 0.9}))
    start = torch.full((16,), -1.0)
    assert not torch.equal(found["live.learned.weight"], start)
    assert not torch.equal(found["model.learned.weight"], start)
    assert not torch.equal(found["model.learned.weight"], found["live.learned.weight"])
