"""What the examples of a stored run look like: pictures of its data, or image files that it names.

Paths that stand in a predictions table are opened only inside the root that it states; every
picture is decoded and encoded again here, so no byte that somebody else wrote goes through.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gapwise.data import prepared
from gapwise.data.images import BadImageError, Limits, decode, read_bytes, read_header
from gapwise.data.safe_path import refusal
from gapwise.errors import DataError, GapwiseError
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import run_data

LONGEST_SIDE: Final = 256
MOST_BYTES: Final = 64 * 2**20
LEAST_SIDE: Final = 96

Picture = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Media:
    """The image files of one predictions table.

    Attributes:
        root: the folder that ``paths`` are relative to and must stay inside, resolved.
        paths: example id → path as it stands in the table, not checked yet.
    """

    root: Path = Path()
    paths: Mapping[str, str] = field(default_factory=dict)


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


def picture(known: Iterable[Media], example_id: str) -> Picture | None:
    """Return an example's picture, (height, width) or (height, width, 3) uint8, made small.

    None where the example names no file, or one that leads out of its root or is no image.
    """
    for table in known:
        if example_id in table.paths:
            return _drawn(table.root, table.paths[example_id])
    return None


def of_run(run: StoredRun, store: RunStore, split: str) -> Callable[[str], Picture | None]:
    """Return what gives the picture of an example of one split, None where it has none.

    It comes from the run's prepared data, an ensemble's from its members'; a recorded run has
    none, but may name image files.
    """
    data = _prepared(run, store)
    if data is None:
        path = run.predictions_path(split)
        known = [read(path)] if path else []
        return lambda example_id: picture(known, example_id)

    def drawn(example_id: str) -> Picture | None:
        try:
            return data.picture(example_id)
        except DataError:
            return None

    return drawn


def prepared_folder(run: StoredRun, store: RunStore) -> Path | None:
    """Return the folder of the data that a run was trained on, None where it names none."""
    try:
        # An ensemble has the examples of its members.
        return run_data.folder_of(store.open(run.members[0]) if run.members else run)
    except GapwiseError:
        return None


def _prepared(run: StoredRun, store: RunStore) -> prepared.Prepared | None:
    folder = prepared_folder(run, store)
    try:
        return prepared.open(folder) if folder else None
    except (GapwiseError, OSError):
        return None


def png(drawn: NDArray[np.generic]) -> bytes:
    """Return a picture, (height, width) or (height, width, 3) uint8, as PNG.

    Small ones are enlarged by whole pixels, so that a browser shows them sharp.
    """
    factor = max(1, -(-LEAST_SIDE // max(1, min(drawn.shape[:2]))))
    large = np.repeat(np.repeat(drawn, factor, axis=0), factor, axis=1)
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(large, dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def _drawn(root: Path, name: str) -> Picture | None:
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
