"""USPS (Hull, 1994): 9,298 digits from envelopes, 16×16 pixels, two official parts pooled.

The parts differ by about a point of error, so a kept official test would be another distribution
than dev. Each digit is scaled to 20×20 and centred on 28×28, which is how MNIST's digits lie: a
LeNet trained on MNIST then errs on about 5 %, against 22 % when the digits are simply stretched.
"""

import bz2
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.arrays import numbered
from gapwise.data.base import ReadContext
from gapwise.data.remote import Remote, fetch, local
from gapwise.errors import DataError
from gapwise.records import ExampleSet

__all__ = ["usps"]

URL = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass"
REMOTES = {
    "train": Remote(
        folder="usps",
        name="usps.bz2",
        url=f"{URL}/usps.bz2",
        sha256="3771e9dd6ba685185f89867b6e249233dd74652389f263963b3b741e994b034f",
        size=6_579_383,
    ),
    "test": Remote(
        folder="usps",
        name="usps.t.bz2",
        url=f"{URL}/usps.t.bz2",
        sha256="a9c0164e797d60142a50604917f0baa604f326e9a689698763793fa5d12ffc4e",
        size=1_831_726,
    ),
}
SIDE, INNER, OUTER = 16, 20, 28

Pair = tuple[NDArray[Any], NDArray[Any]]


def usps(context: ReadContext) -> ExampleSet:
    """Read both official parts, pooled: inputs (9298, 1, 28, 28) uint8.

    Found as ``usps/usps.h5`` or as LIBSVM's two files in ``GAPWISE_DATA``, else downloaded from
    LIBSVM.
    """
    packed = local(context.settings, "usps", "usps.h5")
    if packed is not None:
        parts = _from_h5(packed)
    else:
        parts = {name: _from_libsvm(fetch(context.settings, r)) for name, r in REMOTES.items()}
    counts = [len(labels) for _, labels in parts.values()]
    ids = [numbered(f"usps/{part}", n) for part, n in zip(parts, counts, strict=True)]
    pixels = np.concatenate([pixels for pixels, _ in parts.values()])
    return ExampleSet(
        name="usps",
        inputs=centred(pixels.reshape(-1, SIDE, SIDE)),
        targets=np.concatenate([labels for _, labels in parts.values()]).astype(np.int64),
        classes=tuple(str(digit) for digit in range(10)),
        ids=np.concatenate(ids),
        sources=np.full(sum(counts), "usps"),
        metadata={"official_part": np.repeat(list(parts), counts)},
    )


def centred(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale digits (n, 16, 16) in [0, 1] to 20×20, bilinearly, and centre them on 28×28.

    Returns:
        (n, 1, 28, 28) uint8.
    """
    weights = _bilinear(SIDE, INNER)
    scaled = weights @ pixels @ weights.T
    images = np.zeros((len(pixels), 1, OUTER, OUTER), dtype=np.uint8)
    margin = (OUTER - INNER) // 2
    inner = np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)
    images[:, 0, margin:-margin, margin:-margin] = inner
    return images


def _bilinear(small: int, large: int) -> NDArray[np.float64]:
    """Return the weights of linear interpolation between pixel centres: (large, small)."""
    centres = ((np.arange(large) + 0.5) * small / large - 0.5).clip(0, small - 1)
    distance = np.abs(centres[:, None] - np.arange(small)[None, :])
    weights: NDArray[np.float64] = np.maximum(0.0, 1.0 - distance)
    return weights


def _from_h5(path: Path) -> dict[str, Pair]:
    import h5py  # type: ignore[import-untyped]

    try:
        with h5py.File(path) as file:
            return {
                part: (file[part]["data"][:].astype(np.float64), file[part]["target"][:])
                for part in REMOTES
            }
    except (OSError, KeyError) as error:
        raise DataError(f"{path} is no usps.h5 that can be read ({error}); get it anew") from error


def _from_libsvm(path: Path) -> Pair:
    """Read lines ``label index:value …`` with labels 1–10 and values in [-1, 1]."""
    pixels, labels = [], []
    try:
        with bz2.open(path, "rt") as stream:
            for line in stream:
                label, *cells = line.split()
                labels.append(int(label) - 1)
                row = np.full(SIDE * SIDE, -1.0)
                for cell in cells:
                    position, _, value = cell.partition(":")
                    row[int(position) - 1] = float(value)
                pixels.append(row)
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise DataError(
            f"{path} is no USPS file that can be read ({error}); fetch it anew"
        ) from error
    return (np.array(pixels) + 1) / 2, np.array(labels)
