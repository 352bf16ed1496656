"""Real digits as prepared data, and small jobs on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from gapwise.data import prepared as prepared_data
from gapwise.data.assignment import Assignment
from gapwise.data.prepared import Prepared
from gapwise.pipeline import Pipeline
from gapwise.records import ExampleSet, Job, NumericPlan

Settings = dict[str, Any]


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """300 digits to train, 50 train-dev, 150 dev, 100 test, 8×8 pixels."""
    bundled = load_digits()
    images = (bundled.images[:600] * 15.9).astype(np.uint8)[:, None]
    splits = ["train"] * 300 + ["train_dev"] * 50 + ["dev"] * 150 + ["test"] * 100
    return write(
        tmp_path_factory.mktemp("digits") / "prepared", images, bundled.target[:600], splits
    )


def write(folder: Path, images: Any, targets: Any, splits: list[str], **columns: Any) -> Prepared:
    n = len(images)
    examples = ExampleSet(
        name="digits",
        inputs=images,
        targets=np.asarray(targets, np.int64),
        classes=tuple("0123456789"),
        ids=np.array([f"digit-{i:04d}" for i in range(n)]),
        sources=np.array(["scan"] * n),
        **columns,
    )
    assignment = Assignment(split=np.array(splits), cuts={}, digest="of a test")
    return prepared_data.write(folder, examples, assignment)


@pytest.fixture
def write_prepared() -> Callable[..., Prepared]:
    return write


@pytest.fixture
def make_job(digits: Prepared, tmp_path: Path) -> Callable[..., Job]:
    """Make a job of 4 epochs of 10 steps; keywords: fields of the job, settings of training."""

    def make(folder: str = "run", data: Prepared = digits, **settings: Any) -> Job:
        fields = {k: settings.pop(k) for k in ("seed", "epochs", "plan") if k in settings}
        network = settings.pop("network", {"name": "multilayer-perceptron", "dropout": 0.2})
        parameters = settings.pop("parameters", {})
        training = {"epochs": 4, "batch_size": 30, "augmentation": {"mirror": True, "shift": 1}}
        pipeline = Pipeline.model_validate(
            {"data": {"dataset": "digits"}, "network": network, "training": training | settings}
        )
        defaults: Settings = {"seed": 7, "epochs": 4, "plan": NumericPlan(fused=True)}
        return Job(
            pipeline=pipeline.model_dump(),
            data=str(data.folder),
            folder=str(tmp_path / folder),
            parameters=parameters,
            **(defaults | fields),
        )

    return make
