"""A class for every pixel (notes 6.11)."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.forms.base import UNKNOWN_CLASS, Form, Wrong
from gapwise.labels import Labels

__all__ = ["Mask"]

UNKNOWN_PIXEL = 255
"""Stands in a mask where a pixel's class is unknown, which then counts nowhere."""


class Mask(Form):
    """Targets are (n, height, width) uint8, positions in the classes; 255 where one is unknown.

    The first class is the background: it is not told, and not drawn. As JSON:
    ``{"size": [height, width], "runs": [class, pixels, class, pixels, …]}``, row by row.
    """

    told = "a class for each pixel"
    dtype = np.dtype(np.uint8)

    def shape(self, labels: Labels, targets: NDArray[Any]) -> tuple[int, ...]:
        """Return (n, height, width)."""
        return (len(targets), *labels.extent)

    def unknown(self, labels: Labels, count: int) -> NDArray[Any]:
        """Return masks of unknown pixels."""
        return np.full((count, *labels.extent), UNKNOWN_PIXEL, self.dtype)

    def known(self, labels: Labels, targets: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which examples have one known pixel at least."""
        return np.array([bool((mask != UNKNOWN_PIXEL).any()) for mask in targets], np.bool_)

    def wrong(self, labels: Labels, targets: NDArray[Any]) -> list[Wrong]:
        """Refuse values that are no class, and masks without a known pixel."""
        count = len(labels.classes[0])
        most = np.array([mask[mask != UNKNOWN_PIXEL].max(initial=0) for mask in targets])
        return [
            (most >= count, f"pixels are 0 to {count - 1}, or 255 where the class is unknown"),
            (~self.known(labels, targets), "give each example one known pixel at least"),
        ]

    def text(self, labels: Labels, values: NDArray[Any]) -> NDArray[np.str_]:
        """Return each mask as the lengths of its runs."""
        return np.array([json.dumps(_runs(mask), separators=(",", ":")) for mask in values])

    def words(self, labels: Labels, text: str) -> str:
        """Return the share of the known pixels that each class but the first has."""
        mask = read(text)
        known = mask[mask != UNKNOWN_PIXEL]
        counts = np.bincount(known, minlength=len(labels.classes[0]))
        told = [
            f"{name} {100 * count / max(1, known.size):.0f} %"
            for name, count in zip(labels.classes[0][1:], counts[1:], strict=False)
            if count
        ]
        return ", ".join(told) or labels.classes[0][0]

    def classes(self, labels: Labels, targets: NDArray[Any]) -> NDArray[np.int64]:
        """Return which classes occur in each mask, (n, classes), -1 for those that do not."""
        count = len(labels.classes[0])
        shown = np.array([np.bincount(mask.ravel(), minlength=256)[:count] > 0 for mask in targets])
        return np.where(shown.reshape(-1, count), np.arange(count), UNKNOWN_CLASS)

    def buckets(
        self, labels: Labels, targets: NDArray[Any]
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return one bucket for all."""
        return np.zeros(len(targets), np.int64), ("all",)


def read(text: str) -> NDArray[np.uint8]:
    """Return the mask of one JSON: (height, width) uint8.

    Raises:
        ValueError, KeyError, TypeError: it is no such JSON.
    """
    given = json.loads(text)
    runs = np.array(given["runs"], np.int64).reshape(-1, 2)
    return np.repeat(runs[:, 0].astype(np.uint8), runs[:, 1]).reshape(given["size"])


def _runs(mask: NDArray[np.uint8]) -> dict[str, Any]:
    flat = mask.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    lengths = np.diff(np.r_[starts, flat.size])
    return {"size": list(mask.shape), "runs": np.stack([flat[starts], lengths], 1).ravel().tolist()}
