"""Prepared data with one fold of its training set held out, to be judged by who never saw it."""

import numpy as np
from numpy.typing import NDArray

from gapwise.data.keyed import uniform
from gapwise.data.prepared import Prepared
from gapwise.data.subset import with_split
from gapwise.errors import UsageError, shown

HELD_OUT = "train_dev"
"""The split that a fold's examples stand in: of the training distribution, never trained on."""


def fold(whole: Prepared, number: int, folds: int, seed: int = 0) -> Prepared:
    """Return ``whole`` with fold ``number`` of its training set in train-dev, in place of that.

    Args:
        whole: the data that a pipeline trains on.
        number: from 0 to ``folds`` − 1.
        folds: how many there are. Who is in which is a function of (seed, id or group) alone.
        seed: of the draw.

    Raises:
        UsageError: fewer than 2 folds, or more than there are examples or groups.
        StorageError: the folder cannot be written.
    """
    train = whole.indices("train")
    check_folds(folds, len(train))
    places = _folds(whole, train, folds, seed)
    check_folds(folds, len(np.unique(places)))
    split = whole.split.copy()
    split[split == HELD_OUT] = ""
    split[train[places == number]] = HELD_OUT
    return with_split(whole, split, f"fold {number} of {folds}")


def check_folds(folds: int, most: int) -> None:
    """Refuse a number of folds that cannot be filled.

    Raises:
        UsageError: it is below 2 or above ``most``.
    """
    if not 2 <= folds <= most:
        raise UsageError(
            f"--folds {shown(folds, 30)}: write 2 or more, and no more than the training set has "
            "examples or groups to fill"
        )


def _folds(whole: Prepared, train: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    names = whole.ids if whole.groups is None else whole.groups
    drawn = uniform(seed, "folds", (str(name) for name in names[train]))
    return np.asarray(drawn * folds, np.int64)
