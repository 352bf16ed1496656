"""Images that nearly equal each other across splits: a difference hash, then the pixels.

A picture is averaged down to 8 rows of 9 cells; the hash holds, for each of 64 neighbours, which
is brighter (Krawetz, 2013). Pairs whose hashes differ in few bits are compared by their cells and
then by their pixels, since flat or simple pictures share hashes without being alike.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.assignment import Assignment
from gapwise.data.pieces import rows_at_once
from gapwise.records import ExampleSet

ROWS, COLUMNS = 8, 9
MAX_BITS = 4
MAX_DIFFERENCE = 6.0
"""Root-mean-square difference of pixels, of 255: about what saving as JPEG again makes."""
MOST_COMPARISONS = 150_000_000
JUDGING = ("dev", "test", "train_dev")
SHOWN = 20
BLOCK = 256


@dataclass(frozen=True, kw_only=True)
class NearPair:
    """An example of train and one of a judging split that look alike."""

    train_id: str
    id: str
    split: str
    difference: float


@dataclass(frozen=True, kw_only=True)
class NearReport:
    """Near-duplicates between train and the judging splits.

    Attributes:
        count: judging examples with a near-duplicate in train (equal inputs not counted).
        looked_at: judging examples that were looked at, of ``of``.
        pairs: the first of them.
    """

    count: int
    looked_at: int
    of: int
    pairs: tuple[NearPair, ...]


def near_pairs(examples: ExampleSet, assignment: Assignment) -> NearReport:
    """Return near-duplicates of images; rows of features have none.

    Work is bounded: of many judging examples, a part spread evenly over them is looked at.
    """
    looked, found = search_near(examples, assignment, MOST_COMPARISONS)
    judging = np.isin(assignment.split, JUDGING)
    return NearReport(
        count=len(found),
        looked_at=len(looked),
        of=int(judging.sum()),
        pairs=tuple(found.values())[:SHOWN],
    )


def search_near(
    examples: ExampleSet, assignment: Assignment, comparisons: int
) -> tuple[NDArray[np.int64], dict[int, NearPair]]:
    """Return the judging rows that were looked at, and those of them with a near one in train.

    Args:
        examples: images; rows of features have no near ones, and none is looked at.
        assignment: their splits.
        comparisons: the most hashes to compare; where there are more, every so manieth judging
            example is looked at.
    """
    judging = np.flatnonzero(np.isin(assignment.split, JUDGING))
    train = assignment.indices("train")
    if examples.inputs.ndim != 4 or not len(train) or not len(judging):
        return judging[:0], {}
    most = max(1, comparisons // len(train))
    looked = judging[:: -(-len(judging) // most)]
    train_cells, cells = _cells(examples.inputs, train), _cells(examples.inputs, looked)
    train_hashes, hashes = _hashes(train_cells), _hashes(cells)
    found: dict[int, NearPair] = {}
    for start in range(0, len(looked), BLOCK):
        bits = np.bitwise_count(hashes[start : start + BLOCK, None] ^ train_hashes[None, :])
        left, right = np.nonzero(bits <= MAX_BITS)
        alike = _apart(cells[left + start], train_cells[right]) <= MAX_DIFFERENCE
        for row in np.unique(left[alike]):
            ones = train[right[alike & (left == row)]]
            pair = _nearest(examples, assignment, int(looked[start + row]), ones)
            if pair is not None:
                found[int(looked[start + row])] = pair
    return looked, found


def _nearest(
    examples: ExampleSet, assignment: Assignment, row: int, candidates: NDArray[np.int64]
) -> NearPair | None:
    """Return the candidate whose pixels are nearest to an example's, where they are near."""
    own = examples.inputs[row].astype(np.float32).ravel()
    others = examples.inputs[candidates].astype(np.float32).reshape(len(candidates), -1)
    apart = _apart(own[None, :], others)
    best = int(np.argmin(apart))
    # Equal inputs are told as exact duplicates.
    if apart[best] > MAX_DIFFERENCE or apart[best] == 0:
        return None
    return NearPair(
        train_id=str(examples.ids[candidates[best]]),
        id=str(examples.ids[row]),
        split=str(assignment.split[row]),
        difference=float(apart[best]),
    )


def _apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the root-mean-square difference of rows of pixels."""
    gap: NDArray[np.float32] = one - other
    root: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", gap, gap) / gap.shape[1])
    return root


def _cells(inputs: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return pictures averaged to 8×9 cells: (rows, 72), of 255."""
    height, width = inputs.shape[2:]
    down, across = _averages(height, ROWS), _averages(width, COLUMNS)
    cells = np.empty((len(rows), ROWS * COLUMNS), dtype=np.float32)
    step = rows_at_once(inputs, bytes_a_value=4)
    for start in range(0, len(rows), step):
        grey = inputs[rows[start : start + step]].mean(axis=1, dtype=np.float32)
        cells[start : start + step] = (down @ grey @ across.T).reshape(len(grey), -1)
    return cells


def _averages(size: int, cells: int) -> NDArray[np.float32]:
    """Return the weights that average ``size`` pixels to ``cells`` equal cells: (cells, size)."""
    edges = np.linspace(0, size, cells + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixel = np.arange(size)[None, :]
    covered = (np.minimum(high, pixel + 1) - np.maximum(low, pixel)).clip(0)
    weights: NDArray[np.float32] = (covered / covered.sum(axis=1, keepdims=True)).astype("f4")
    return weights


def _hashes(cells: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return 64 bits a picture: (rows,)."""
    grid = cells.reshape(-1, ROWS, COLUMNS)
    brighter = (grid[:, :, 1:] > grid[:, :, :-1]).reshape(-1, 64)
    return np.packbits(brighter, axis=1).view(np.uint64)[:, 0]
