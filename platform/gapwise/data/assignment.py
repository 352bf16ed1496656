"""Who stands in which split: the outcome of a draw, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Cuts = Mapping[str, Mapping[str, float]]
"""Part of a draw (``test``, ``dev``, …) → stratum → upper bound of the keyed hash."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The split of every example.

    Attributes:
        split: (n,) str, a name of ``records.SPLITS``, or "" for an example that is left out.
        cuts: bounds of the keyed hash that this draw came to; a later draw with the same cuts
            moves nobody.
        digest: of the ids and their splits.
        notes: what a reader of a diagnosis must know of the draw (one sentence each).
        seed: seed of the draw.
        target: the source that dev and test were drawn from; None for all of the data.
    """

    split: NDArray[np.str_]
    cuts: Cuts
    digest: str
    notes: tuple[str, ...] = field(default=())
    seed: int = 0
    target: str | None = None

    def indices(self, split: str) -> NDArray[np.int64]:
        """Return the positions of the examples of ``split``, in order."""
        return np.flatnonzero(self.split == split).astype(np.int64)


def digest_of(ids: NDArray[np.str_], split: NDArray[np.str_]) -> str:
    """Return the digest of who stands where; the order of the examples does not matter."""
    lines = sorted(f"{name}\0{part}" for name, part in zip(ids, split, strict=True))
    return sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
