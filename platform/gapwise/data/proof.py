"""Proof that stored data is what was written: a digest over its content.

Needs numpy and the standard library alone.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.pieces import pieces


def content_digest(kind: str, facts: Mapping[str, Any], columns: Mapping[str, NDArray[Any]]) -> str:
    """Return the digest of arrays and of the plain values that tell what they are."""
    hasher = sha256(kind.encode())
    hasher.update(json.dumps(facts, sort_keys=True).encode())
    for name, column in sorted(columns.items()):
        hasher.update(f"\0{name}\0{column.dtype.str}\0{column.shape}\0".encode())
        for piece in pieces(column):
            hasher.update(np.ascontiguousarray(piece).data)
    return hasher.hexdigest()
