"""What can be said of a picture without knowing what it shows: brightness, contrast, sharpness."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_CHUNK = 2_000_000
"""Numbers that are looked at at once."""


def picture_properties(inputs: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """Return properties of (n, channels, height, width) pictures, each (n,).

    ``brightness``: the mean, a share of white. ``contrast``: the standard deviation of grey.
    ``sharpness``: the standard deviation of the Laplacian of grey (Pech-Pacheco et al. 2000), low
    where a picture is blurred; 0 below 3 × 3 pixels. ``colour``: the mean spread of the channels.
    """
    parts = [_of(chunk) for chunk in _chunks(inputs)]
    names = parts[0].keys() if parts else ()
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def _chunks(inputs: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    size = max(1, _CHUNK // max(1, int(np.prod(inputs.shape[1:]))))
    for start in range(0, len(inputs), size):
        yield np.asarray(inputs[start : start + size], np.float32) / np.float32(255)


def _of(pictures: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    grey = pictures.mean(axis=1)
    found = {
        "brightness": grey.mean(axis=(1, 2)),
        "contrast": grey.std(axis=(1, 2)),
        "sharpness": np.zeros(len(grey)),
    }
    if min(grey.shape[1:]) >= 3:
        middle = grey[:, 1:-1, 1:-1]
        around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
        found["sharpness"] = (around - 4 * middle).std(axis=(1, 2))
    if pictures.shape[1] > 1:
        found["colour"] = pictures.std(axis=1).mean(axis=(1, 2))
    return {name: values.astype(np.float64) for name, values in found.items()}
