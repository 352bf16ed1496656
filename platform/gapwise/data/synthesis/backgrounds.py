"""Backgrounds behind clean pictures: ink on an even ground, laid over pieces of photographs.

Notes 4.15: foreground and background make a new example; if all examples share a few backgrounds,
a network may learn those by heart. Each copy's background is named among its ingredients.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gapwise.data.base import Copies, Originals
from gapwise.data.grounds import bundled, of_folder, piece
from gapwise.data.keyed import seed_of
from gapwise.errors import DataError
from gapwise.ingredients import recipe

__all__ = ["backgrounds"]


def backgrounds(
    originals: Originals,
    *,
    path: str | None = None,
    ground: Literal["dark", "light"] = "dark",
    dim: float = 0.6,
) -> Copies:
    """Return each picture's ink over a piece of a photograph.

    A pixel counts as ink by how far it is from the ground: half-way shows half of the background.

    Args:
        originals: pictures (n, channels, height, width) uint8.
        path: folder of images to cut backgrounds from; by default scikit-image's photographs of
            brick, grass and gravel.
        ground: what the pictures' own ground is: ``dark`` under bright ink, or ``light``.
        dim: brightness of a background beside its photograph, a fraction; the ink keeps its own.

    Raises:
        DataError: ``dim`` is no fraction, or the folder holds an image that is too small or cannot
            be read.
        PipelineError: the examples are no pictures.
    """
    originals.check("picture", "backgrounds")
    if not 0 <= dim <= 1:
        raise DataError(f"data.synthesize.dim is {dim:g}; give a fraction from 0 to 1")
    images = originals.inputs
    channels, height, width = images.shape[1:]
    known = bundled() if path is None else of_folder(originals.root / path, channels)
    _check(known, height, width)
    names = list(known)
    made, added = np.empty_like(images), []
    for row, key in enumerate(originals.keys):
        draw = np.random.default_rng(seed_of(key))
        name = names[int(draw.integers(len(names)))]
        behind = dim * piece(draw, known[name], height, width)
        made[row] = _over(images[row] / 255.0, behind, is_dark=ground == "dark")
        added.append(recipe([("background", name)]))
    return Copies(made, added)


def _over(
    picture: NDArray[np.float64], behind: NDArray[np.float64], *, is_dark: bool
) -> NDArray[np.uint8]:
    """Return a picture (channels, height, width) in [0, 1] over what is behind it, as uint8."""
    ink = picture.max(0) if is_dark else 1 - picture.min(0)
    mixed = picture * ink + behind * (1 - ink)
    return np.asarray(np.rint(mixed.clip(0, 1) * 255), np.uint8)


def _check(known: Mapping[str, NDArray[np.float64]], height: int, width: int) -> None:
    for name, picture in known.items():
        if picture.shape[-2] < height or picture.shape[-1] < width:
            raise DataError(
                f"data.synthesize: background {name} has {picture.shape[-2]}×{picture.shape[-1]} "
                f"pixels, fewer than the {height}×{width} of the pictures; take a larger one"
            )
