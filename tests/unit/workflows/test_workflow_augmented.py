"""What people are shown of augmentation is what the network is shown."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gapwise.errors import PipelineError
from gapwise.settings import Settings
from gapwise.terminal.data import show_data_report
from gapwise.training.augmentation.augment import make_augmentation
from gapwise.workflows.augmented import augmented
from gapwise.workflows.inspect import inspect_data
from gapwise.workflows.prepare import ready

ALL = [
    f"training.augmentation.{change}"
    for change in ("shift=1", "crop=0.6", "rotation=20", "shear=10", "warp=1", "pca_colour=0.5")
]


def test_samples_are_the_pictures_that_training_makes(home: Path) -> None:
    start = ready("digits", Settings.read(), [*ALL, "seed=3"])
    prepared, options = start.prepared, start.pipeline.training.augmentation.model_dump()
    augment = make_augmentation(options, prepared, 3, torch.device("cpu"))
    samples = inspect_data("digits", [*ALL, "seed=3"], Settings.read())["augmented"]
    names = [sample["example_id"] for sample in samples]
    assert len(set(names)) == 3
    positions = {str(name): row for row, name in enumerate(prepared.ids)}
    for name in set(names):
        row = positions[name]
        assert prepared.split[row] == "train"
        first, *epochs = [sample for sample in samples if sample["example_id"] == name]
        assert first["pixels"] == prepared.inputs[row, 0].tolist()
        assert [sample["title"][1] for sample in epochs] == ["epoch 1", "epoch 2", "epoch 3"]
        batch = prepared.indices("train")[:64]
        batch = np.unique(np.append(batch, row))
        for epoch, sample in enumerate(epochs, start=1):
            pictures = augment(
                torch.from_numpy(prepared.inputs[batch]), torch.from_numpy(batch), epoch
            )
            seen = pictures[int(np.searchsorted(batch, row)), 0]
            assert sample["pixels"] == seen.round().int().tolist()
            assert sample["pixels"] != first["pixels"]


def test_whole_pixels_stay_whole(home: Path) -> None:
    start = ready("digits", Settings.read(), ["training.augmentation.shift=2"])
    train = start.prepared.indices("train")
    found = augmented(start.prepared.inputs, train, start.pipeline, int(train[5]), [1, 7])
    assert found.keys() == {1, 7}
    whole = set(np.unique(start.prepared.inputs[train[5]]).tolist()) | {0}
    for picture in found.values():
        assert picture.shape == (1, 8, 8)
        assert set(np.unique(picture).tolist()) <= whole


def test_nothing_is_shown_where_nothing_is_augmented(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = inspect_data("digits", [], Settings.read())
    assert report["augmented"] == []
    show_data_report(report)
    assert "training.augmentation" not in capsys.readouterr().out


def test_the_report_shows_them_under_a_heading(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_data_report(inspect_data("digits", ALL, Settings.read()))
    _, heading, below = capsys.readouterr().out.partition("As training.augmentation shows them")
    assert heading
    assert below.count("epoch 2") == 3


def test_what_cannot_be_augmented_is_refused_by_the_report(home: Path) -> None:
    with pytest.raises(PipelineError, match="shift is 9 pixels"):
        inspect_data("digits", ["training.augmentation.shift=9"], Settings.read())
