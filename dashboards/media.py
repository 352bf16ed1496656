"""Image files that the predictions of a recorded run name: drawn only from inside their root."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gapwise.data.images import BadImageError, Limits, decode, read_bytes, read_header
from gapwise.data.safe_path import refusal
from gapwise.errors import GapwiseError
from gapwise.tracking import predictions as tables
from gapwise.tracking.stored import StoredRun

LONGEST_SIDE: Final = 256
MOST_BYTES: Final = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Media:
    """The image files of one predictions table.

    Attributes:
        root: the folder that ``paths`` are relative to and must stay inside, resolved.
        paths: example id → path as it stands in the table, not checked yet.
    """

    root: Path = Path()
    paths: Mapping[str, str] = field(default_factory=dict)


def of_run(run: StoredRun) -> list[Media]:
    """Return the image files that the predictions of a run name, a table a split."""
    found = [path for split in run.splits() if (path := run.predictions_path(split))]
    return [_kept(str(path), path.stat().st_mtime_ns) for path in found]


def read(table: Path) -> Media:
    """Return the image files that a predictions table names; none where it names no root."""
    try:
        root = tables.read_media_root(table)
        found = tables.read(table, columns=("example_id", "media")) if root else None
    except GapwiseError:
        return Media()
    if found is None or found.media is None:
        return Media()
    pairs = zip(found.example_id.tolist(), found.media.tolist(), strict=True)
    return Media(root=Path(root).resolve(), paths={name: path for name, path in pairs if path})


def picture(known: Iterable[Media], example_id: str) -> NDArray[np.uint8] | None:
    """Return an example's picture, (height, width) or (height, width, 3) uint8, made small.

    None where the example names no file, or one that leads out of its root or is no image.
    """
    for table in known:
        if example_id in table.paths:
            return _drawn(table.root, table.paths[example_id])
    return None


@st.cache_resource(show_spinner=False, max_entries=16)
def _kept(table: str, mtime: int) -> Media:
    return read(Path(table))


def _drawn(root: Path, name: str) -> NDArray[np.uint8] | None:
    path = root / name
    if refusal(root, name) or path.stat().st_size > MOST_BYTES:
        return None
    try:
        content = read_bytes(path)
        header = read_header(content, Limits(min_side=1))
        share = min(1.0, LONGEST_SIDE / max(header.height, header.width))
        height, width = (max(1, round(share * side)) for side in (header.height, header.width))
        pixels = decode(content, height, width, 1 if header.grey else 3)
    except BadImageError:
        return None
    return pixels[0] if header.grey else pixels.transpose(1, 2, 0)
