"""What MNIST and Fashion-MNIST share: four gzipped IDX files in two official parts."""

from collections.abc import Sequence

import numpy as np

from gapwise.data.arrays import numbered
from gapwise.data.base import ReadContext
from gapwise.data.idx_file import read_idx
from gapwise.data.remote import Remote, fetch
from gapwise.records import ExampleSet

Part = tuple[str, Remote, Remote]
"""An official part: its name, its images, its labels."""


def remotes(folder: str, url: str, sums: dict[str, tuple[int, str]]) -> tuple[Part, ...]:
    """Return the two official parts from the size and sha256 of every file."""
    files = {
        name: Remote(folder=folder, name=name, url=f"{url}/{name}", sha256=digest, size=size)
        for name, (size, digest) in sums.items()
    }
    return tuple(
        (part, files[f"{stem}-images-idx3-ubyte.gz"], files[f"{stem}-labels-idx1-ubyte.gz"])
        for part, stem in (("train", "train"), ("test", "t10k"))
    )


def read_parts(
    context: ReadContext, name: str, parts: Sequence[Part], classes: Sequence[str]
) -> ExampleSet:
    """Return both official parts as one distribution; ``official_part`` tells them apart."""
    images = [read_idx(fetch(context.settings, part[1])) for part in parts]
    labels = [read_idx(fetch(context.settings, part[2])) for part in parts]
    names = [part[0] for part in parts]
    counts = [len(part) for part in images]
    ids = [numbered(f"{name}/{part}", n) for part, n in zip(names, counts, strict=True)]
    return ExampleSet(
        name=name,
        inputs=np.concatenate(images)[:, None],
        targets=np.concatenate(labels).astype(np.int64),
        classes=tuple(classes),
        ids=np.concatenate(ids),
        sources=np.full(sum(counts), name),
        metadata={"official_part": np.repeat(names, counts)},
    )
