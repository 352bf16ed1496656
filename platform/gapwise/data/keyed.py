"""Keyed hashes: numbers in [0, 1) that depend on a seed, a role and a name only.

Whatever is drawn by them (a split, a source, a camera's noise) stays as it is when data is added,
removed or put in another order.
"""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def seed_of(*parts: object) -> int:
    """Return 64 bits that depend on ``parts`` only; for a generator of their own."""
    text = "\0".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def uniform(seed: int, role: str, names: Iterable[str]) -> NDArray[np.float64]:
    """Return a number in [0, 1) for every name: (n,) float64, the same for the same name."""
    # 53 bits fill a double exactly, so that no rounding reaches 1.0.
    return np.array([(seed_of(seed, role, name) >> 11) * 2.0**-53 for name in names])
