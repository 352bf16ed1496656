"""Prepared data with a part of its training set left out: what a learning curve trains on.

Who stays is a function of (seed, id or group) alone, so that a larger subset of one seed contains
every smaller one. Dev, test and train-dev stay as they are.
"""

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapwise.data import assignment, prepared
from gapwise.data.keyed import uniform
from gapwise.data.normalisation import mean_and_deviation
from gapwise.data.placing import drafted
from gapwise.data.prepared import META, Prepared
from gapwise.errors import StorageError
from gapwise.seal import sealed

_SPLIT = "split"


def subset(whole: Prepared, size: int, seed: int) -> Prepared:
    """Return ``whole`` with ``size`` training examples left, written once for each content.

    The arrays are shared with ``whole``'s folder; the mean and deviation that inputs are normalised
    by are those of the examples left, as nobody with so few examples would know others.

    Args:
        whole: the data that a pipeline trains on.
        size: training examples to keep, from 1 to all. Groups come whole, so that with groups a few
            more or fewer may be kept, at least one group.
        seed: of the draw.

    Raises:
        StorageError: the folder cannot be written.
    """
    train = whole.indices("train")
    if size >= len(train):
        return whole
    split = whole.split.copy()
    split[train[~kept(whole, size, seed)]] = ""
    return with_split(whole, split, "subset")


def with_split(whole: Prepared, split: NDArray[np.str_], named: str) -> Prepared:
    """Return ``whole`` under another split, written once for each; the arrays are shared.

    Args:
        whole: the prepared data.
        split: (n,) the split of each example, "" for one that is left out.
        named: what the split is, for the digest.

    Raises:
        StorageError: the folder cannot be written.
    """
    digest = sha256(f"{named}\0{whole.digest}\0".encode() + split.tobytes()).hexdigest()
    place = whole.folder.name.rpartition("-")[2]
    return _written(whole.folder.with_name(f"{digest[:40]}-{place}"), whole, split, digest)


def kept(whole: Prepared, size: int, seed: int) -> NDArray[np.bool_]:
    """Return (training examples,) who stays when about ``size`` do; classes keep their shares."""
    train = whole.indices("train")
    names = whole.ids if whole.groups is None else whole.groups
    place = uniform(seed, "curve", (str(name) for name in names[train]))
    if whole.groups is None:
        place = _by_class(whole.targets[train], place)
        return np.asarray(place.argsort(kind="stable").argsort() < size)
    order = np.argsort(place, kind="stable")
    _, starts, counts = np.unique(place[order], return_index=True, return_counts=True)
    ends = starts + counts
    groups = max(1, int(np.abs(ends - size).argmin()) + 1)
    return np.asarray(place <= place[order][starts[groups - 1]])


def _by_class(targets: NDArray[np.generic], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each example's place within its class, from 0 to 1, in the order of ``place``.

    Numbers and several labels have no classes to spread over: their places stay as they are.
    """
    if targets.ndim > 1 or targets.dtype.kind not in "iu":
        return place
    order = np.lexsort((place, targets))
    _, starts, counts = np.unique(targets[order], return_index=True, return_counts=True)
    within = np.arange(len(order)) - np.repeat(starts, counts)
    spread = np.empty(len(order))
    # Classes of one size would tie; each example's own place orders them.
    spread[order] = (within + place[order]) / np.repeat(counts, counts)
    return spread


def _written(folder: Path, whole: Prepared, split: NDArray[np.str_], digest: str) -> Prepared:
    if (folder / META).is_file():
        return prepared.open(folder)
    try:
        with drafted(folder, META) as draft:
            _fill(draft, whole, split, digest)
    except OSError as error:
        raise StorageError(
            f"cannot write the prepared data {folder}: {error}; free some space or set "
            "GAPWISE_CACHE to another folder"
        ) from error
    return prepared.open(folder)


def _fill(draft: Path, whole: Prepared, split: NDArray[np.str_], digest: str) -> None:
    meta = json.loads((whole.folder / META).read_text(encoding="utf-8"))
    for name in meta["files"]:
        if name != _SPLIT:
            _share(whole.folder / f"{name}.npy", draft / f"{name}.npy")
    np.save(draft / f"{_SPLIT}.npy", split)
    mean, deviation = mean_and_deviation(whole.inputs, np.flatnonzero(split == "train"))
    meta["digest"] = digest
    meta["assignment"]["digest"] = assignment.digest_of(whole.ids, split)
    meta["normalisation"] = {"mean": mean.tolist(), "deviation": deviation.tolist()}
    meta["files"][_SPLIT] = (draft / f"{_SPLIT}.npy").stat().st_size
    with (draft / META).open("w", encoding="utf-8") as stream:
        json.dump(sealed(meta), stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())


def _share(source: Path, target: Path) -> None:
    """Link a file that never changes; copy it where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
