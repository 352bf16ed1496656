"""The nearest of many encodings: all of them compared, or an index where there are very many.

Comparing all is exact, and a product of a matrix and a vector. From ``LARGE`` encodings on, FAISS
(Douze et al., 2024) builds a graph (Malkov and Yashunin, 2018) where it is installed (the extra
``index``): see docs/benchmarks.md for what each takes.
"""

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

LARGE = 1_000_000
"""Encodings from which an index is worth building: below, comparing all takes about 13 ms."""

NEIGHBOURS = 32
LOOKED_AT = 128


class Nearest:
    """Encodings of length 1, (n, size) float32, that can be asked for the nearest of another.

    Args:
        encodings: (n, size) of length 1.
        large: encodings from which an index is built.
    """

    def __init__(self, encodings: NDArray[np.float32], large: int = LARGE) -> None:
        self._encodings = np.ascontiguousarray(encodings, np.float32)
        self._graph = None
        if len(encodings) >= large and find_spec("faiss") is not None:
            import faiss  # type: ignore[import-not-found, import-untyped, unused-ignore]

            self._graph = faiss.IndexHNSWFlat(encodings.shape[1], NEIGHBOURS)
            self._graph.hnsw.efSearch = LOOKED_AT
            self._graph.add(self._encodings)

    @property
    def is_exact(self) -> bool:
        """Whether all are compared."""
        return self._graph is None

    def of(
        self, encoding: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the places of the ``k`` nearest and their distances ‖a − b‖², nearest first."""
        asked = np.ascontiguousarray(encoding, np.float32).reshape(1, -1)
        k = min(k, len(self._encodings))
        if self._graph is not None:
            distances, places = self._graph.search(asked, k)
            return places[0].astype(np.int64), distances[0]
        apart = 2 - 2 * (self._encodings @ asked[0])
        places = np.argpartition(apart, k - 1)[:k] if k else np.arange(0)
        places = places[np.argsort(apart[places], kind="stable")]
        return places.astype(np.int64), apart[places].clip(min=0)
