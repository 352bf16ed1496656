"""Decoded images: each decoded once, into a uint8 file that is mapped into memory.

The store is keyed by content: the digests of the files in order, and the shape asked for. A set
larger than memory is decoded in pieces. A folder of the store is written whole or not at all.
"""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from gapwise.data.decoder import CHANGED
from gapwise.data.decoding import Outcome, Task, decoded
from gapwise.data.images import BadImageError, Header, Limits, read_bytes, read_header
from gapwise.data.pieces import PIECE_BYTES
from gapwise.data.placing import put_in_place
from gapwise.data.safe_path import refusal
from gapwise.errors import DataError, StorageError
from gapwise.records import Quarantined

FORMAT = 1
IMAGES = "images.npy"
INDEX = "index.json"
LOOKED_AT_ONCE = 10_000
THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Images of one shape.

    Attributes:
        images: (kept, channels, height, width) uint8, a read-only memory map.
        kept: (kept,) positions of the images in the list of paths that was asked for.
        quarantine: the others.
        notes: what was resized, and what had several frames.
    """

    images: NDArray[np.uint8]
    kept: NDArray[np.int64]
    quarantine: tuple[Quarantined, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """An image file after its header and content were read once."""

    position: int
    path: str
    sha256: str
    header: Header


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What all images of a set are brought to; None: the commonest size, grey where all are."""

    size: tuple[int, int] | None = None
    channels: int | None = None


def decode_all(
    root: Path, paths: Sequence[str], cache: Path, shape: Shape, limits: Limits
) -> Decoded:
    """Return the decoded images of ``paths``, which are relative to ``root``.

    Raises:
        DataError: none of them can be used.
        StorageError: the cache cannot be written.
    """
    root = root.resolve()
    good, bad = index(root, paths, limits)
    if not good:
        example = f", such as {bad[0].item} ({bad[0].reason})" if bad else ""
        raise DataError(f"{root}: none of {len(paths)} images can be used{example}; mend them")
    height, width = shape.size or _commonest(good)
    channels = shape.channels or (1 if all(item.header.grey for item in good) else 3)
    whole = (channels, height, width)
    base, key = cache / "decoded", _key(good, whole)
    folder = base / key
    if not (folder / INDEX).is_file():
        folder = _write(base, key, root, good, whole)
    return _opened(folder, good, bad, _notes(good, height, width))


def _opened(
    folder: Path, good: Sequence[Indexed], bad: Sequence[Quarantined], notes: tuple[str, ...]
) -> Decoded:
    """Open a folder of the store, with the names that its images have in this set."""
    stored = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    late = [
        Quarantined(**fault, item=good[row].path, sha256=good[row].sha256)
        for row, fault in zip(stored["bad_rows"], stored["bad"], strict=True)
    ]
    dropped = set(stored["bad_rows"])
    kept = [item.position for row, item in enumerate(good) if row not in dropped]
    if not kept:
        raise DataError(
            f"none of {len(good)} images can be decoded, such as {late[0].item} "
            f"({late[0].reason}); mend them"
        )
    return Decoded(
        images=np.load(folder / IMAGES, mmap_mode="r"),
        kept=np.array(kept, dtype=np.int64),
        quarantine=(*bad, *late),
        notes=notes,
    )


def index(
    root: Path, paths: Sequence[str], limits: Limits
) -> tuple[list[Indexed], list[Quarantined]]:
    """Read every file once: its digest and its header; set aside what cannot be an image."""
    good: list[Indexed] = []
    bad: list[Quarantined] = []

    with ThreadPoolExecutor(THREADS) as threads:
        for start in range(0, len(paths), LOOKED_AT_ONCE):
            positions = range(start, min(start + LOOKED_AT_ONCE, len(paths)))
            for item in threads.map(partial(_look, root, paths, limits), positions):
                if isinstance(item, Indexed):
                    good.append(item)
                else:
                    bad.append(item)
    return good, bad


def _look(root: Path, paths: Sequence[str], limits: Limits, position: int) -> Indexed | Quarantined:
    path = paths[position]
    refused = refusal(root, path)
    if refused:
        return Quarantined(item=path, code=refused[0], reason=refused[1])
    digest = ""
    try:
        content = read_bytes(root / path)
        digest = sha256(content).hexdigest()
        header = read_header(content, limits)
    except BadImageError as error:
        return Quarantined(item=path, code=error.code, reason=error.reason, sha256=digest)
    return Indexed(position=position, path=path, sha256=digest, header=header)


def _commonest(good: Sequence[Indexed]) -> tuple[int, int]:
    sizes = Counter((item.header.height, item.header.width) for item in good)
    # Ties go to the larger size, so that the order of the files does not matter.
    return max(sizes, key=lambda size: (sizes[size], size))


def _notes(good: Sequence[Indexed], height: int, width: int) -> tuple[str, ...]:
    other = sum((i.header.height, i.header.width) != (height, width) for i in good)
    moving = sum(i.header.frames > 1 for i in good)
    told = {
        f"{other} of {len(good)} images are resized to {height}×{width} (height × width).": other,
        f"{moving} of {len(good)} images have several frames; the first is used.": moving,
    }
    return tuple(note for note, count in told.items() if count)


def _key(good: Sequence[Indexed], shape: tuple[int, int, int]) -> str:
    hasher = sha256(f"decoded {FORMAT} {shape}".encode())
    for item in good:
        hasher.update(bytes.fromhex(item.sha256))
    return hasher.hexdigest()


def _write(
    base: Path, key: str, root: Path, good: Sequence[Indexed], shape: tuple[int, int, int]
) -> Path:
    """Decode into a folder of ``base`` and return it."""
    try:
        base.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=base))
        try:
            changed = _fill(draft, root, good, shape)
            # What changed under our hands must not be kept under the digest of what it was.
            name = sha256(f"{key} {changed}".encode()).hexdigest() if changed else key
            put_in_place(draft, base / name, INDEX)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise StorageError(
            f"cannot write decoded images to {base}: {error}; free some space or set "
            "GAPWISE_CACHE to another folder"
        ) from error
    return base / name


def _fill(
    draft: Path, root: Path, good: Sequence[Indexed], shape: tuple[int, int, int]
) -> list[int]:
    """Write the pixels and the index of a store; return the rows whose file has changed."""
    faults: dict[int, BadImageError] = {}
    with (draft / IMAGES).open("wb") as stream:
        _write_header(stream, (len(good), *shape))
        for row, outcome in enumerate(_decoded(root, good, shape)):
            if isinstance(outcome, BadImageError):
                faults[row] = outcome
            else:
                stream.write(outcome.data)
        # The header keeps room for a longer count, so that writing it again moves nothing.
        stream.seek(0)
        _write_header(stream, (len(good) - len(faults), *shape))
        stream.flush()
        os.fsync(stream.fileno())
    bad = [{"code": fault.code, "reason": fault.reason} for fault in faults.values()]
    with (draft / INDEX).open("w", encoding="utf-8") as text:
        json.dump({"bad_rows": list(faults), "bad": bad}, text)
        text.flush()
        os.fsync(text.fileno())
    return [row for row, fault in faults.items() if fault.code == CHANGED]


def _decoded(root: Path, good: Sequence[Indexed], shape: tuple[int, int, int]) -> Iterator[Outcome]:
    """Give every image's pixels, or why it has none, holding one piece of them at a time."""
    step = max(THREADS, PIECE_BYTES // prod(shape))
    pieces = (
        [Task(root / item.path, item.sha256, shape) for item in good[start : start + step]]
        for start in range(0, len(good), step)
    )
    return decoded(pieces, THREADS)


def _write_header(stream: BinaryIO, shape: tuple[int, ...]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
