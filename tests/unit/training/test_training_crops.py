"""Predictions from several crops are the average made by hand; training does not know of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError
from gapwise.records import Job
from gapwise.training.checkpoints import CheckpointStore, read_checkpoint
from gapwise.training.crops import Crops, read_crops
from gapwise.training.job import run_job
from gapwise.training.predict import load_network, predict

Make = Callable[..., Job]


def cropped(job: Job, count: int, margin: int = 1) -> Job:
    return replace(job, pipeline={**job.pipeline, "prediction": {"crops": count, "margin": margin}})


@pytest.fixture
def done(make_job: Make) -> Job:
    job = make_job(network="small-cnn", epochs=2)
    run_job(job)
    return job


def by_hand(images: NDArray[np.uint8], margin: int) -> list[NDArray[np.uint8]]:
    """Corners, from the top left along the rows, then the centre, then all of them mirrored."""
    height, width = images.shape[2:]
    padded = np.zeros((*images.shape[:2], height + 2 * margin, width + 2 * margin), np.uint8)
    padded[:, :, margin:-margin, margin:-margin] = images
    crops = [
        padded[:, :, :height, :width],
        padded[:, :, :height, -width:],
        padded[:, :, -height:, :width],
        padded[:, :, -height:, -width:],
        images,
    ]
    return crops + [crop[..., ::-1].copy() for crop in crops]


@pytest.mark.parametrize("count", [1, 5, 10])
def test_views_are_corners_centre_and_their_mirror_images(count: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 9, 7), np.uint8)
    views = Crops(count=count, margin=2).views(torch.from_numpy(images))
    expected = by_hand(images, 2)[:count] if count > 1 else [images]
    assert len(views) == count
    for view, crop in zip(views, expected, strict=True):
        assert np.array_equal(view.numpy(), crop)


@pytest.mark.parametrize("count", [5, 10])
def test_scores_are_the_mean_of_the_crops_probabilities(
    done: Job, digits: Prepared, count: int
) -> None:
    found = predict(Path(done.folder), cropped(done, count), digits, "dev")
    model = load_network(Path(done.folder))
    images = np.array(digits.inputs[digits.indices("dev")])
    with torch.inference_mode():
        crops = by_hand(images, 1)[:count]
        each = [torch.softmax(model(torch.from_numpy(crop)), 1).numpy() for crop in crops]
    mean = np.mean(each, axis=0)
    assert found.scores is not None
    assert np.allclose(found.scores, mean, atol=1e-6)
    assert np.array_equal(found.predicted, mean.argmax(1))
    assert np.array_equal(found.error, mean.argmax(1) != found.target)
    right = mean[np.arange(len(mean)), found.target]
    assert found.loss == pytest.approx(-np.log(right), rel=1e-4, abs=1e-5)
    # By convexity less than the mean of the crops' losses.
    losses = [-np.log(scores[np.arange(len(mean)), found.target]) for scores in each]
    assert (found.loss <= np.mean(losses, axis=0) + 1e-5).all()
    alone = predict(Path(done.folder), done, digits, "dev")
    assert not np.allclose(alone.scores, found.scores, atol=1e-3)


def test_one_crop_is_the_picture_to_the_bit(done: Job, digits: Prepared) -> None:
    older = {key: value for key, value in done.pipeline.items() if key != "prediction"}
    jobs = (done, cropped(done, 1, margin=3), replace(done, pipeline=older))
    first, *others = (predict(Path(done.folder), job, digits, "dev").scores for job in jobs)
    assert first is not None
    for other in others:
        assert other is not None
        assert other.tobytes() == first.tobytes()


def test_training_does_not_know_of_crops(make_job: Make) -> None:
    once = run_job(make_job("a", epochs=2))
    other = run_job(cropped(make_job("b", epochs=2), 10))
    assert once.best_dev_error == other.best_dev_error
    saved = [
        read_checkpoint(next(CheckpointStore(Path(folder).parent).newest_first()))
        for folder in (once.last_checkpoint, other.last_checkpoint)
    ]
    assert saved[0].values["identity"] == saved[1].values["identity"]
    assert all(
        torch.equal(tensor, saved[1].tensors[name]) for name, tensor in saved[0].tensors.items()
    )


@pytest.mark.parametrize(
    ("prediction", "shape", "says"),
    [
        ({"crops": 10}, (64,), r"prediction\.crops is 10, .* rows of 64 features"),
        ({"crops": 5, "margin": 8}, (1, 8, 9), r"margin is 8 pixels, .* 8×9 .* less than 8"),
    ],
)
def test_crops_of_what_has_none_are_refused(
    prediction: dict[str, Any], shape: tuple[int, ...], says: str
) -> None:
    with pytest.raises(PipelineError, match=says):
        read_crops({"prediction": prediction}, shape)
    read_crops({"prediction": prediction}, (3, 32, 32))
    read_crops({"prediction": {"crops": 1, "margin": 99}}, shape)
