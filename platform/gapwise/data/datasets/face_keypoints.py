"""Faces of 64×64 with 68 points each: crops of YouTube Faces (Wolf et al., 2011).

Official train and test hold the same 347 people, so both are pooled and people are kept together.
A few points lie outside the frame.
"""

import zipfile
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gapwise.data.base import ReadContext
from gapwise.data.remote import local_folder
from gapwise.errors import DataError
from gapwise.labels import Labels
from gapwise.records import ExampleSet

__all__ = ["face_keypoints"]

FOLDER: Final = "face-keypoints"
PARTS: Final = ("train", "test")
PLACE: Final = "train.npz and test.npz (arrays images, keypoints, names)"
POINTS: Final = tuple(f"point {number}" for number in range(1, 69))
"""Numbered as the 68 points of iBUG: 37 and 46 are the outer corners of the eyes."""


def face_keypoints(context: ReadContext) -> ExampleSet:
    """Read both parts from the folder ``face-keypoints`` of ``GAPWISE_DATA``.

    Raises:
        DataError: a file is not there, or of another form.
    """
    root = local_folder(context.settings, FOLDER, PLACE)
    arrays: dict[str, list[NDArray[Any]]] = {"images": [], "keypoints": [], "names": []}
    counts = []
    for part in PARTS:
        try:
            with np.load(root / f"{part}.npz", allow_pickle=False) as archive:
                for name, found in arrays.items():
                    found.append(archive[name])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise DataError(f"{root / part}.npz cannot be read ({error}); get it anew") from error
        counts.append(len(arrays["images"][-1]))
    images, points, names = (np.concatenate(found) for found in arrays.values())
    people = np.array([str(name).rsplit("_", 1)[0] for name in names])
    official = np.repeat(PARTS, counts)
    return ExampleSet(
        name=FOLDER,
        inputs=images[:, None],
        targets=points.astype(np.float32),
        labels=Labels(kind="points", names=POINTS, extent=images.shape[1:]),
        ids=np.array([f"{part}/{name}" for part, name in zip(official, names, strict=True)]),
        sources=np.full(len(images), "faces"),
        groups=people,
        metadata={"person": people, "official_part": official},
    )
