"""Augmentation inside a training: the same pictures when it is resumed, checked by the data."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError, StoppedError
from gapwise.records import Job
from gapwise.training.checkpoints import read_checkpoint
from gapwise.training.job import run_job

Make = Callable[..., Job]
ALL = {
    "mirror": True,
    "shift": 1,
    "crop": 0.7,
    "rotation": 15,
    "shear": 10,
    "warp": 0.8,
    "colour": 20,
    "pca_colour": 0.1,
}


@pytest.mark.parametrize("stop_at", [3, 14])
def test_a_resumed_training_sees_the_same_pictures(make_job: Make, stop_at: int) -> None:
    whole = run_job(make_job("whole", epochs=2, augmentation=ALL))
    asked = iter(range(1, 1000))
    job = make_job("cut", epochs=2, augmentation=ALL)
    with pytest.raises(StoppedError):
        run_job(job, should_stop=lambda: next(asked) == stop_at)
    resumed = run_job(job)
    assert resumed.best_dev_error == whole.best_dev_error
    ends = [read_checkpoint(Path(one.last_checkpoint)).tensors for one in (whole, resumed)]
    assert all(torch.equal(tensor, ends[1][name]) for name, tensor in ends[0].items())
    plain = run_job(make_job("plain", epochs=2))
    other = read_checkpoint(Path(plain.last_checkpoint)).tensors
    assert not all(torch.equal(tensor, other[name]) for name, tensor in ends[0].items())


def test_an_override_of_a_trial_is_checked_by_the_data(make_job: Make) -> None:
    job = make_job(parameters={"training.augmentation.shift": 8})
    with pytest.raises(PipelineError, match="shift is 8 pixels"):
        run_job(job)


def test_rows_of_features_train_without_it_and_are_refused_with_it(
    make_job: Make, digits: Prepared, write_prepared: Callable[..., Prepared], tmp_path: Path
) -> None:
    rows = np.asarray(digits.inputs, np.float32).reshape(len(digits), -1)
    data = write_prepared(tmp_path / "rows", rows, digits.targets, list(digits.split))
    assert run_job(make_job(data=data, epochs=1, augmentation={})).epochs == 1
    with pytest.raises(PipelineError, match=r"augmentation\.warp is 0\.5, .* 64 features"):
        run_job(make_job("other", data=data, epochs=1, augmentation={"warp": 0.5}))
