"""CIFAR-10 (Krizhevsky, 2009): 60,000 colour photographs of ten kinds of things, 32×32 pixels."""

import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.arrays import numbered
from gapwise.data.base import ReadContext
from gapwise.data.remote import Remote, fetch, local
from gapwise.errors import DataError, PipelineError
from gapwise.records import ExampleSet

__all__ = ["cifar10"]

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
ARCHIVE = Remote(
    folder="cifar10",
    name="cifar-10-binary.tar.gz",
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    size=170_052_171,
)
MEMBERS = {
    "train": tuple(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6)),
    "test": ("cifar-10-batches-bin/test_batch.bin",),
}
PACKED = {"train": "cifar10_train_first10k.npz", "test": "cifar10_test_10k.npz"}
SIDE, TRAIN = 32, 50_000
RECORD = 1 + 3 * SIDE * SIDE
"""Bytes of an example in the official files: its label, then red, green and blue by rows."""

Pair = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images (n, 3, 32, 32) and labels (n,)."""


def cifar10(context: ReadContext, *, train_images: int = TRAIN) -> ExampleSet:
    """Read the first images of the official training part and all of the test part, pooled.

    Inputs are (train_images + 10000, 3, 32, 32) uint8. Found as the official binary archive, or,
    for up to 10,000 training images, as two npz files (``images`` n×32×32×3 and ``labels``) in
    ``GAPWISE_DATA``; else the archive is downloaded.

    Args:
        train_images: images of the official training part, from its first.
    """
    if not 1 <= train_images <= TRAIN:
        raise PipelineError(
            f"dataset cifar10: train_images is {train_images}, but the official training part has "
            f"{TRAIN:,} images; ask for 1 to {TRAIN}"
        )
    parts = _packed(context, train_images) or _official(fetch(context.settings, ARCHIVE))
    images, labels = parts["train"]
    parts["train"] = images[:train_images], labels[:train_images]
    counts = [len(labels) for _, labels in parts.values()]
    ids = [numbered(f"cifar10/{part}", n) for part, n in zip(parts, counts, strict=True)]
    return ExampleSet(
        name="cifar10",
        inputs=np.concatenate([images for images, _ in parts.values()]),
        targets=np.concatenate([labels for _, labels in parts.values()]),
        classes=CLASSES,
        ids=np.concatenate(ids),
        sources=np.full(sum(counts), "cifar10"),
        metadata={"official_part": np.repeat(list(parts), counts)},
    )


def _packed(context: ReadContext, train_images: int) -> dict[str, Pair] | None:
    """Return both parts from the npz files, where they stand and hold enough."""
    paths = {part: local(context.settings, "cifar10", name) for part, name in PACKED.items()}
    if local(context.settings, "cifar10", ARCHIVE.name) or None in paths.values():
        return None
    parts = {part: _from_npz(path) for part, path in paths.items() if path is not None}
    return parts if len(parts["train"][1]) >= train_images else None


def _from_npz(path: Path) -> Pair:
    try:
        with np.load(path) as stored:
            images: NDArray[Any] = stored["images"]
            labels: NDArray[Any] = stored["labels"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} is no CIFAR-10 that can be read ({error}); get it anew") from error
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)), labels.astype(np.int64)


def _official(path: Path) -> dict[str, Pair]:
    try:
        with tarfile.open(path) as archive:
            return {
                part: _records(b"".join(_bytes(archive, name) for name in names))
                for part, names in MEMBERS.items()
            }
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise DataError(f"{path} is no CIFAR-10 that can be read ({error}); get it anew") from error


def _bytes(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    if stream is None:
        raise KeyError(name)
    return stream.read()


def _records(content: bytes) -> Pair:
    rows = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    images = np.ascontiguousarray(rows[:, 1:]).reshape(-1, 3, SIDE, SIDE)
    return images, rows[:, 0].astype(np.int64)
