"""Mean and deviation of a training set, in one pass of pieces, for sets larger than memory."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.pieces import rows_at_once
from gapwise.inputs import is_words


def mean_and_deviation(
    inputs: NDArray[Any], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation of ``inputs[rows]`` in its own units (notes 3.5).

    Args:
        inputs: (n, channels, …) or (n, features); may be a memory map.
        rows: the positions of the training set.

    Returns:
        Each (channels,) or (features,) float64. A constant's deviation is 1, so that dividing by
        it changes nothing; of no rows, means are 0 and deviations 1. A feature of only 0 and 1
        (a category) keeps its values: a rare category scaled by its deviation would drown the rest.
        So do words, whose numbers measure nothing.
    """
    width = inputs.shape[1]
    if is_words(inputs.dtype):
        return np.zeros(width), np.ones(width)
    count, mean, squares = 0.0, np.zeros(width), np.zeros(width)
    binary = np.full(width, inputs.dtype.kind == "f")
    step = rows_at_once(inputs, bytes_a_value=8)
    for start in range(0, len(rows), step):
        chunk = inputs[rows[start : start + step]].astype(np.float64)
        flat = np.moveaxis(chunk, 1, -1).reshape(-1, width)
        added = len(flat)
        binary &= ((flat == 0) | (flat == 1)).all(axis=0)
        centre = flat.mean(axis=0)
        # Chan, Golub and LeVeque (1979): merging centred sums loses no digits.
        shift = centre - mean
        squares += ((flat - centre) ** 2).sum(axis=0) + shift**2 * count * added / (count + added)
        mean += shift * added / (count + added)
        count += added
    deviation = np.sqrt(squares / count) if count else np.ones(width)
    # A constant leaves rounding of the order of its own size.
    constant = deviation <= 1e-9 * np.maximum(1.0, np.abs(mean))
    return np.where(binary, 0.0, mean), np.where(constant | binary, 1.0, deviation)
