"""Two IDX files, images and labels, as MNIST has them."""

import numpy as np

from gapwise.data.arrays import as_inputs, feature_names, numbered, same_length
from gapwise.data.base import ReadContext
from gapwise.data.digests import snapshot_of
from gapwise.data.idx_file import read_idx
from gapwise.data.labels import from_numbers
from gapwise.records import ExampleSet

__all__ = ["idx"]


def idx(
    context: ReadContext, *, images: str, labels: str, classes: list[str] | None = None
) -> ExampleSet:
    """Read a pair of IDX files; ids are ``<stem>/<index>``.

    Args:
        context: where relative paths begin.
        images: the file of images or rows.
        labels: the file of labels, whole numbers from 0.
        classes: class names in order; by default the numbers.

    Raises:
        DataError: a file cannot be read, they differ in length, or a label is out of range.
    """
    path, label_path = context.root / images, context.root / labels
    inputs = as_inputs(read_idx(path), str(path))
    numbers = read_idx(label_path)
    same_length(inputs, numbers, f"{path} and {label_path}")
    targets, names = from_numbers(numbers, classes, str(label_path))
    stem = path.name.split(".")[0]
    return ExampleSet(
        name=stem,
        inputs=inputs,
        targets=targets,
        classes=names,
        ids=numbered(stem, len(inputs)),
        sources=np.full(len(inputs), stem),
        feature_names=feature_names(inputs),
        snapshot=snapshot_of(path, label_path),
    )
