"""Small real trainings without a store: arrays and splits in, predictions of every split out."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from numpy.typing import NDArray

from gapwise import pipeline_file
from gapwise.data import prepared
from gapwise.data.assignment import Assignment, digest_of
from gapwise.pipeline import Pipeline
from gapwise.records import SPLITS, ExampleSet, Job, NumericPlan, Predictions
from gapwise.training.callbacks import Callback, Epoch
from gapwise.training.job import run_job
from gapwise.training.predict import predict

PLAN = NumericPlan(device="cpu", threads=1)


def example_set(
    name: str, inputs: NDArray[Any], targets: NDArray[np.int64], classes: int
) -> ExampleSet:
    """Return pictures of bytes or rows (n, features), of classes 0 … k − 1, of one source."""
    n = len(targets)
    return ExampleSet(
        name=name,
        inputs=inputs if inputs.dtype == np.uint8 else inputs.astype(np.float32),
        targets=targets.astype(np.int64),
        classes=tuple(map(str, range(classes))),
        ids=np.arange(n).astype(str),
        sources=np.full(n, name),
    )


def assigned(examples: ExampleSet, split: NDArray[np.str_]) -> Assignment:
    """Return a draw that puts example i into ``split[i]`` ("" leaves it out)."""
    return Assignment(split=split, cuts={}, digest=digest_of(examples.ids, split))


def pipeline(dataset: str, change: Mapping[str, Any]) -> Pipeline:
    """Return the pipeline ``digits`` with ``change``, for a dataset in memory."""
    words = [f"{key}={value}" for key, value in change.items()]
    return pipeline_file.load("digits", words).model_copy(update={"name": dataset})


class History(Callback):
    """The running train error of every epoch."""

    def __init__(self) -> None:
        self.errors: list[float] = []

    def on_epoch(self, epoch: Epoch) -> None:
        """Note the epoch's train error."""
        self.errors.append(epoch.metrics["train_error"])


def trained(
    examples: ExampleSet,
    split: NDArray[np.str_],
    change: Mapping[str, Any],
    seed: int,
    *callbacks: Callback,
) -> dict[str, Predictions]:
    """Train a network on the examples of train, and return its predictions of every split."""
    wanted = pipeline(examples.name, change)
    with tempfile.TemporaryDirectory() as folder:
        data = prepared.write(Path(folder) / "data", examples, assigned(examples, split))
        job = Job(
            pipeline=pipeline_file.resolve(wanted),
            data=str(data.folder),
            folder=str(Path(folder) / "checkpoints"),
            plan=PLAN,
            seed=seed,
            epochs=wanted.training.epochs,
        )
        run_job(job, callbacks)
        place = Path(job.folder)
        found = {name: predict(place, job, data, name) for name in SPLITS}
    return {name: table for name, table in found.items() if len(table)}
