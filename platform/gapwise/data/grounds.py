"""Photographs of textures that things are laid on: those that come along, or those of a folder."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gapwise.data.images import BadImageError, Limits, decode, read_bytes, read_header
from gapwise.errors import DataError

TEXTURES: Final = ("brick", "grass", "gravel")
"""Grey photographs that scikit-image brings."""


def bundled() -> dict[str, NDArray[np.float64]]:
    """Return name → photograph, (height, width) in [0, 1]."""
    from skimage import data as pictures

    return {name: getattr(pictures, name)() / 255.0 for name in TEXTURES}


def of_folder(folder: Path, channels: int) -> dict[str, NDArray[np.float64]]:
    """Return name → picture of a folder's image files, (channels, height, width) in [0, 1].

    Raises:
        DataError: there is no such folder, it holds no image, or one that cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; give the folder of the backgrounds' images")
    found = {}
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            content = read_bytes(file)
            header = read_header(content, Limits())
            found[file.name] = decode(content, header.height, header.width, channels) / 255.0
        except BadImageError as error:
            raise DataError(f"{file}: {error.reason}; mend it, or take it out") from error
    if not found:
        raise DataError(f"{folder} holds no image; give the folder of the backgrounds' images")
    return found


def piece(
    draw: np.random.Generator, picture: NDArray[np.float64], height: int, width: int
) -> NDArray[np.float64]:
    """Return a piece of a picture (…, height, width), cut where ``draw`` says."""
    top, left = (
        int(draw.integers(have - want + 1))
        for have, want in zip(picture.shape[-2:], (height, width), strict=True)
    )
    return picture[..., top : top + height, left : left + width]
