"""Patches of thirteen photographs that scikit-image and scikit-learn bring; which is it from?

What a network learns from them, edges, colours and textures, is what style transfer asks of it
(notes 8.2). A photograph is cut into blocks, and no block stands in two splits.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gapwise.data.base import ReadContext
from gapwise.errors import DataError
from gapwise.records import ExampleSet

__all__ = ["textures"]

OF_SKIMAGE: Final = (
    "astronaut", "brick", "chelsea", "coffee", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "retina", "rocket", "stereo_motorcycle",
)  # fmt: skip
OF_SKLEARN: Final = ("china.jpg", "flower.jpg")
SHORTER: Final = 512
"""Pixels that a photograph's shorter side is brought to, where it is longer."""

NOTE: Final = (
    "Every class is one photograph: the error tells how well its patches are told from those of "
    "twelve others, not how well such things are known elsewhere."
)


def textures(context: ReadContext, *, side: int = 32, block: int = 4) -> ExampleSet:
    """Cut the photographs: inputs (n, 3, side, side) uint8, one class a photograph.

    Args:
        context: not needed.
        side: of a patch, in pixels.
        block: patches along each side of a block, which is a group.

    Raises:
        DataError: a photograph holds fewer than three blocks.
    """
    patches, classes, groups, ids = [], [], [], []
    for label, (name, picture) in enumerate(photographs().items()):
        rows, columns = picture.shape[0] // side, picture.shape[1] // side
        if (rows // block) * (columns // block) < 3:
            raise DataError(
                f"data.dataset: textures: {name} of {picture.shape[0]}×{picture.shape[1]} holds "
                f"fewer than three blocks of {block}×{block} patches of {side} pixels; lower side "
                "or block"
            )
        for row in range(rows):
            for column in range(columns):
                top, left = row * side, column * side
                patches.append(picture[top : top + side, left : left + side])
                classes.append(label)
                groups.append(f"{name} {row // block},{column // block}")
                ids.append(f"{name}/{row:02d}-{column:02d}")
    return ExampleSet(
        name="textures",
        inputs=np.ascontiguousarray(np.stack(patches).transpose(0, 3, 1, 2)),
        targets=np.array(classes, np.int64),
        classes=tuple(photographs()),
        ids=np.array(ids),
        sources=np.full(len(ids), "photographs"),
        groups=np.array(groups),
        notes=(NOTE,),
    )


def photographs() -> dict[str, NDArray[np.uint8]]:
    """Return name → photograph, (height, width, 3) uint8, brought to at most 512 pixels."""
    # They take half a second to import; other datasets do not need them.
    from skimage import data
    from sklearn.datasets import load_sample_image  # type: ignore[import-untyped]

    found: dict[str, NDArray[np.uint8]] = {}
    for name in OF_SKIMAGE:
        loaded = getattr(data, name)()
        found[name] = _small(loaded[0] if isinstance(loaded, tuple) else loaded)
    for name in OF_SKLEARN:
        found[name.removesuffix(".jpg")] = _small(load_sample_image(name))
    return found


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    opened = Image.fromarray(picture).convert("RGB")
    share = min(1.0, SHORTER / min(opened.size))
    size = (round(share * opened.width), round(share * opened.height))
    return np.asarray(opened.resize(size, Image.Resampling.BOX) if share < 1 else opened)
