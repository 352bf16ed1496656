"""Points on a picture that mean the same on each: landmarks (notes 6.2)."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.forms.base import Form, Wrong
from gapwise.labels import Labels

__all__ = ["Points"]


class Points(Form):
    """Targets are (n, k, 2) float32: x and y of each point, NaN where it is unknown.

    A point may lie outside the picture. As JSON: ``[[x, y], null, …]``.
    """

    told = "points"
    dtype = np.dtype(np.float32)

    def shape(self, labels: Labels, targets: NDArray[Any]) -> tuple[int, ...]:
        """Return (n, k, 2)."""
        return (len(targets), len(labels.names), 2)

    def unknown(self, labels: Labels, count: int) -> NDArray[Any]:
        """Return NaN for every point."""
        return np.full((count, len(labels.names), 2), np.nan, self.dtype)

    def known(self, labels: Labels, targets: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which examples have one known point at least."""
        return np.asarray(~np.isnan(targets).all((1, 2)))

    def wrong(self, labels: Labels, targets: NDArray[Any]) -> list[Wrong]:
        """Refuse half a point, an infinite one, and an example without any."""
        known = ~np.isnan(targets)
        half = (known[..., 0] != known[..., 1]).any(1) | np.isinf(targets).any((1, 2))
        return [
            (half, "a point has two finite numbers, or NaN for both where it is unknown"),
            (~known.any((1, 2)), "give each example one known point at least"),
        ]

    def text(self, labels: Labels, values: NDArray[Any]) -> NDArray[np.str_]:
        """Return the points of each example as JSON, null where one is unknown."""
        rows = np.round(values.astype(np.float64), 2).tolist()
        plain = [[None if x != x else [x, y] for x, y in points] for points in rows]
        return np.array([json.dumps(points) for points in plain], np.str_)

    def words(self, labels: Labels, text: str) -> str:
        """Return how many points there are."""
        found = read(text)
        missing = sum(point is None for point in found)
        return f"{len(found)} points" + (f", {missing} unknown" if missing else "")

    def classes(self, labels: Labels, targets: NDArray[Any]) -> None:
        """Return None: points have no classes."""
        return

    def buckets(
        self, labels: Labels, targets: NDArray[Any]
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return one bucket for all."""
        return np.zeros(len(targets), np.int64), ("all",)


def read(text: str) -> list[tuple[float, float] | None]:
    """Return the points of one JSON, None for unknown ones.

    Raises:
        ValueError, TypeError: it is no such JSON.
    """
    return [None if one is None else (float(one[0]), float(one[1])) for one in json.loads(text)]
