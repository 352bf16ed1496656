"""Arrow strings ↔ numpy strings, by their buffers: a million in hundredths of a second."""

from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

WIDEST = 256
"""Bytes up to which a column is laid out as a matrix; wider text goes row by row."""


def to_numpy(column: "pa.ChunkedArray | pa.Array") -> NDArray[np.str_]:
    """Return a column as (n,) str; null becomes ""."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(array.type):
        # An empty name at the end serves the nulls.
        names = np.append(to_numpy(array.dictionary.cast(pa.string())), "")
        codes = array.indices.fill_null(len(names) - 1)
        spread: NDArray[np.str_] = names[codes.to_numpy(zero_copy_only=False)]
        return spread
    text = array.cast(pa.string())
    text = text.fill_null("") if text.null_count else text
    return _from_buffers(text) if _is_plain(text) else np.array(text.to_pylist(), dtype=np.str_)


def to_arrow(values: NDArray[Any]) -> pa.Array:
    """Return (n,) str as an Arrow string column."""
    return pa.array(values.tolist(), pa.string())


def _from_buffers(text: pa.Array) -> NDArray[np.str_]:
    offsets, data = _parts(text)
    lengths = np.diff(offsets)
    width = max(1, int(lengths.max(initial=0)))
    letters = np.zeros((len(text), width), np.uint32)
    used = data[offsets[0] : offsets[-1]]
    if (lengths == width).all():
        letters[:] = used.reshape(len(text), width)
    else:
        letters[np.arange(width) < lengths[:, None]] = used
    return letters.view(f"<U{width}").ravel()


def _is_plain(text: pa.Array) -> bool:
    """Whether a byte is a letter (ASCII) and the matrix stays small."""
    if not len(text):
        return False
    offsets, data = _parts(text)
    longest = int(np.diff(offsets).max())
    return longest <= WIDEST and not (data[offsets[0] : offsets[-1]] & 0x80).any()


def _parts(text: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    _, offsets, data = text.buffers()
    every = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    return every, np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
