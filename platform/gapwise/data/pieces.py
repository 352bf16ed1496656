"""Working through arrays that may be larger than memory, a few megabytes at a time."""

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

PIECE_BYTES = 16 * 2**20


def rows_at_once(array: NDArray[Any], bytes_a_value: int | None = None) -> int:
    """Return how many rows of ``array`` make a piece; values may be widened on the way."""
    row = array[:1].size * (bytes_a_value or array.itemsize)
    return max(1, PIECE_BYTES // max(1, row))


def pieces(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Give an array in pieces along its first axis."""
    rows = rows_at_once(array)
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
