"""The IDX format of MNIST: a magic number, the sizes, then the bytes; plain or gzipped."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from gapwise.data.arrays import MOST_BYTES
from gapwise.errors import DataError

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

MOST_SIDES = 8
"""Dimensions of an array, at most."""


def read_idx(path: Path) -> NDArray[Any]:
    """Return the array of an IDX file.

    No more is unpacked than the header promises.

    Raises:
        DataError: it is missing, no IDX file, cut short, or of more than ``MOST_BYTES``.
    """
    try:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            return _read(path, cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_packed else raw)
    except FileNotFoundError as error:
        raise DataError(f"there is no {path}; give the path of an IDX file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked ({error}); get the file anew") from error


def _read(path: Path, stream: BinaryIO) -> NDArray[Any]:
    magic = stream.read(4)
    is_idx = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in TYPES
    if not is_idx or magic[3] > MOST_SIDES:
        raise DataError(f"{path} is no IDX file (it begins with {magic!r}); get it anew")
    dtype, rank = np.dtype(TYPES[magic[2]]), magic[3]
    sizes = stream.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise DataError(f"{path} ends inside its header; get the file anew")
    shape = struct.unpack(f">{rank}I", sizes)
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > MOST_BYTES:
        raise DataError(
            f"{path} unpacks to {wanted / 2**30:,.1f} GB, more than the {MOST_BYTES / 2**30:g} "
            "that are read; split the file"
        )
    content = stream.read(wanted + 1)
    if len(content) != wanted:
        held = f"{len(content):,}" if len(content) < wanted else "more"
        raise DataError(
            f"{path} holds {held} bytes of numbers where its header promises {wanted:,}; get the "
            "file anew"
        )
    array = np.frombuffer(content, dtype=dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
