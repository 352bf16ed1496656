"""Ids in one spelling: what looks the same is the same (Unicode's composed form, NFC).

A file that was named on one system comes with ``é`` as one character, from another as two. The
ledger keeps labels by id, so the two must not become two examples, nor lose each other's labels.
"""

from unicodedata import is_normalized, normalize

import numpy as np
from numpy.typing import NDArray


def one_spelling(ids: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return (n,) ids, each composed; those that are already come back as they are."""
    names = ids.tolist()
    if all(map(str.isascii, names)) or all(is_normalized("NFC", name) for name in names):
        return ids
    return np.array([composed(name) for name in names], np.str_)


def composed(name: str) -> str:
    """Return an id in its one spelling."""
    return normalize("NFC", name)
