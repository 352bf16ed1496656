"""Working through arrays that may be larger than memory, a few megabytes at a time."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
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


def write_array(path: Path, column: NDArray[Any]) -> None:
    """Write an npy file, piece by piece, through to the disk."""
    with path.open("wb") as stream:
        header = np.lib.format.header_data_from_array_1_0(np.empty(0, column.dtype))
        header |= {"shape": column.shape}
        np.lib.format.write_array_header_1_0(stream, header)
        for piece in pieces(column):
            stream.write(np.ascontiguousarray(piece).data)
        write_through(stream)


def write_through(stream: Any) -> None:
    """Bring what was written to the disk, past every buffer."""
    stream.flush()
    os.fsync(stream.fileno())
