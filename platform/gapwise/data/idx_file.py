"""The IDX format of MNIST: a magic number, the sizes, then the bytes; plain or gzipped."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path) -> NDArray[Any]:
    """Return the array of an IDX file.

    Raises:
        DataError: it is missing, no IDX file, or cut short.
    """
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except FileNotFoundError as error:
        raise DataError(f"there is no {path}; give the path of an IDX file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked ({error}); get the file anew") from error
    return _parse(path, content)


def _parse(path: Path, content: bytes) -> NDArray[Any]:
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        raise DataError(f"{path} is no IDX file (it begins with {content[:4]!r}); get it anew")
    dtype, rank = np.dtype(TYPES[content[2]]), content[3]
    start = 4 + 4 * rank
    if len(content) < start:
        raise DataError(f"{path} ends inside its header; get the file anew")
    shape = struct.unpack(f">{rank}I", content[4:start])
    wanted = start + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if len(content) != wanted:
        raise DataError(
            f"{path} holds {len(content):,} bytes where its header promises {wanted:,}; get the "
            "file anew"
        )
    array = np.frombuffer(content, dtype=dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
