"""CIFAR-10 in both of its forms, and what is refused."""

import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from gapwise.data.datasets import cifar10
from gapwise.errors import DataError, PipelineError

FEW = 30


def write_archive(folder, images, labels):
    """Write the official archive's form: five training files and one of the test part."""
    folder.mkdir(parents=True)
    rows = np.concatenate([labels[:, None], images.reshape(len(images), -1)], axis=1)
    with tarfile.open(folder / cifar10.ARCHIVE.name, "w:gz") as archive:
        names = [*cifar10.MEMBERS["train"], *cifar10.MEMBERS["test"]]
        for name, part in zip(names, np.array_split(rows.astype(np.uint8), 6), strict=True):
            entry = tarfile.TarInfo(name)
            entry.size = part.nbytes
            archive.addfile(entry, io.BytesIO(part.tobytes()))


def in_folder(context, folder):
    return replace(context, settings=replace(context.settings, data=folder))


def test_the_first_training_images_and_all_of_the_test_part(real_context):
    found = cifar10.cifar10(real_context, train_images=100)
    assert found.inputs.shape == (10_100, 3, 32, 32)
    assert np.bincount(found.metadata["official_part"] == "train").tolist() == [10_000, 100]
    assert np.bincount(found.targets[100:]).tolist() == [1_000] * 10
    # The first two official training images: a frog, and a truck.
    assert [found.classes[i] for i in found.targets[:2]] == ["frog", "truck"]


def test_the_official_archive_gives_the_same_pixels(real_context, context, tmp_path):
    whole = cifar10.cifar10(real_context, train_images=FEW)
    folder = tmp_path / "data"
    write_archive(folder / "cifar10", whole.inputs[: 6 * FEW // 5], whole.targets[: 6 * FEW // 5])
    found = cifar10.cifar10(in_folder(context, folder), train_images=FEW)
    assert np.array_equal(found.inputs[:FEW], whole.inputs[:FEW])
    assert np.array_equal(found.targets[:FEW], whole.targets[:FEW])


@pytest.mark.parametrize("count", [0, 50_001])
def test_a_count_that_the_part_does_not_have_is_refused(context, count):
    with pytest.raises(PipelineError, match=rf"train_images is {count}.*1 to 50000"):
        cifar10.cifar10(context, train_images=count)


def test_a_damaged_archive_is_named(context, tmp_path):
    (tmp_path / "data" / "cifar10").mkdir(parents=True)
    path = tmp_path / "data" / "cifar10" / cifar10.ARCHIVE.name
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match=str(path)):
        cifar10.cifar10(in_folder(context, tmp_path / "data"))
