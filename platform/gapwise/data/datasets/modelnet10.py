"""ModelNet10: furniture as 30×30×30 voxels, in ten classes (Wu et al., 2015)."""

import zipfile
from typing import Final

import numpy as np

from gapwise.data.arrays import numbered
from gapwise.data.base import ReadContext
from gapwise.data.remote import local_folder
from gapwise.errors import DataError
from gapwise.records import ExampleSet

__all__ = ["modelnet10"]

FOLDER: Final = "modelnet10-voxels"
PLACE: Final = "modelnet10.npz (arrays X_train, y_train, X_test, y_test)"
PARTS: Final = ("train", "test")
CLASSES: Final = (
    "bathtub", "bed", "chair", "desk", "dresser",
    "monitor", "night stand", "sofa", "table", "toilet",
)  # fmt: skip


def modelnet10(context: ReadContext) -> ExampleSet:
    """Read the official parts from the folder ``modelnet10-voxels`` of ``GAPWISE_DATA``.

    Each part is a source.

    Raises:
        DataError: the file is not there, or of another form.
    """
    file = local_folder(context.settings, FOLDER, PLACE) / "modelnet10.npz"
    try:
        with np.load(file, allow_pickle=False) as archive:
            volumes = [archive[f"X_{part}"].astype(np.uint8) for part in PARTS]
            targets = [archive[f"y_{part}"].astype(np.int64) for part in PARTS]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{file} cannot be read ({error}); get it anew") from error
    counts = [len(part) for part in volumes]
    return ExampleSet(
        name="modelnet10",
        inputs=np.concatenate(volumes)[:, None],
        targets=np.concatenate(targets),
        classes=CLASSES,
        ids=np.concatenate([numbered(p, n) for p, n in zip(PARTS, counts, strict=True)]),
        sources=np.repeat(PARTS, counts),
        metadata={"filled": np.concatenate([part.mean((1, 2, 3)) for part in volumes])},
    )
