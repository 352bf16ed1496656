"""Arrays that may be larger than memory and last as long as the process."""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gapwise.errors import StorageError

IN_MEMORY = 256 * 2**20


def scratch(folder: Path, shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> NDArray[Any]:
    """Return an array to be filled: in memory when small, else in a file without a name.

    Raises:
        StorageError: the disk has no room for it.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size <= IN_MEMORY:
        return np.empty(shape, dtype)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as stream:
            reserve(stream.fileno(), size)
            return np.memmap(stream, dtype=dtype, mode="r+", shape=shape)
    except OSError as error:
        raise StorageError(
            f"cannot keep {size / 2**20:,.0f} MB of examples in {folder}: {error}; free some space "
            "or set GAPWISE_CACHE to another folder"
        ) from error


def reserve(descriptor: int, size: int) -> None:
    """Give a file its size on disk now: a map over a hole that cannot be filled ends in SIGBUS."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)
