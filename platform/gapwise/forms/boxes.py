"""Boxes around objects, each with its class (notes 6.1, 6.5)."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gapwise.forms.base import UNKNOWN_CLASS, Form, Wrong
from gapwise.labels import Labels

__all__ = ["Boxes"]

SURE = 0.5
"""A predicted box counts, and is shown, where its score is at least this."""

MOST_TOLD = 6


class Box(NamedTuple):
    """A box of a predictions table: corners in pixels; the score of a true one is 1."""

    name: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0

    @property
    def is_sure(self) -> bool:
        """Whether the box counts."""
        return self.score >= SURE


class Boxes(Form):
    """Targets are (n, m, 5) float32: position of the class, then left, top, right, bottom.

    m is the most boxes that an example has; rows of class -1 fill up the others. Predictions have a
    sixth number, the score. As JSON: ``[{"class": "7", "box": [x0, y0, x1, y1], "score": 0.98}]``.
    """

    told = "boxes around objects"
    dtype = np.dtype(np.float32)

    def shape(self, labels: Labels, targets: NDArray[Any]) -> tuple[int, ...]:
        """Return (n, m, 5)."""
        return (len(targets), targets.shape[1] if targets.ndim > 1 else 1, 5)

    def unknown(self, labels: Labels, count: int) -> NDArray[Any]:
        """Return NaN: a picture without an object is known to hold none."""
        return np.full((count, 1, 5), np.nan, self.dtype)

    def known(self, labels: Labels, targets: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which examples have been looked at."""
        return np.asarray(~np.isnan(targets).any((1, 2)))

    def wrong(self, labels: Labels, targets: NDArray[Any]) -> list[Wrong]:
        """Refuse unknown classes, boxes without area and those that leave the picture."""
        height, width = labels.extent
        codes, (x0, y0, x1, y1) = targets[..., 0], np.moveaxis(targets[..., 1:], -1, 0)
        real = codes != UNKNOWN_CLASS
        count = len(labels.classes[0])
        no_class = real & ~np.isin(codes, np.arange(count))
        empty = real & ~((x1 > x0) & (y1 > y0))
        outside = real & ~((x0 >= 0) & (y0 >= 0) & (x1 <= width) & (y1 <= height))
        return [
            (no_class.any(1), f"classes of boxes go from 0 to {count - 1}"),
            (empty.any(1), "a box needs an area: left < right and top < bottom"),
            (outside.any(1), f"a box lies inside the picture of {height}×{width}"),
        ]

    def text(self, labels: Labels, values: NDArray[Any]) -> NDArray[np.str_]:
        """Return the boxes of each example as JSON, padding left out."""
        rows = [json.dumps([_plain(labels, one) for one in boxes]) for boxes in _real(values)]
        return np.array(rows, np.str_)

    def words(self, labels: Labels, text: str) -> str:
        """Return the classes of the boxes that count, from left to right."""
        found = sorted((box for box in read(text) if box.is_sure), key=lambda box: box.x0)
        if len(found) <= MOST_TOLD:
            return ", ".join(box.name for box in found) or "nothing"
        names = [box.name for box in found]
        return ", ".join(f"{names.count(name)} {name}" for name in sorted(set(names)))

    def classes(self, labels: Labels, targets: NDArray[Any]) -> NDArray[np.int64]:
        """Return the class of every box, (n, m)."""
        codes: NDArray[np.int64] = targets[..., 0].astype(np.int64)
        return codes

    def buckets(
        self, labels: Labels, targets: NDArray[Any]
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return how many boxes each example has, many counting as one bucket."""
        counts = (targets[..., 0] != UNKNOWN_CLASS).sum(1).clip(max=MOST_TOLD).astype(np.int64)
        return counts, (*(f"{n} boxes" for n in range(MOST_TOLD)), f"{MOST_TOLD} and more")


def read(text: str) -> list[Box]:
    """Return the boxes of one JSON.

    Raises:
        ValueError, KeyError, TypeError: it is no such JSON.
    """
    found = []
    for one in json.loads(text):
        x0, y0, x1, y1 = map(float, one["box"])
        found.append(Box(str(one["class"]), x0, y0, x1, y1, float(one.get("score", 1.0))))
    return found


def padded(boxes: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return lists of boxes, each (k, 5), as targets (n, m, 5); m is at least 1."""
    most = max((len(rows) for rows in boxes), default=0)
    filled = np.zeros((len(boxes), max(1, most), 5), np.float32)
    filled[..., 0] = UNKNOWN_CLASS
    for row, found in enumerate(boxes):
        filled[row, : len(found)] = found
    return filled


def _real(values: NDArray[Any]) -> list[NDArray[Any]]:
    return [boxes[boxes[:, 0] != UNKNOWN_CLASS] for boxes in values]


def _plain(labels: Labels, one: NDArray[Any]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "class": labels.classes[0][int(one[0])],
        "box": [round(float(at), 2) for at in one[1:5]],
    }
    return said if len(one) == 5 else said | {"score": round(float(one[5]), 4)}
