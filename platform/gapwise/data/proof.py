"""Proof that stored data is what was written: digests over content, a seal over what describes it.

Needs numpy and the standard library alone.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gapwise.data.pieces import pieces

_SEAL: Final = "seal"


def content_digest(kind: str, facts: Mapping[str, Any], columns: Mapping[str, NDArray[Any]]) -> str:
    """Return the digest of arrays and of the plain values that tell what they are."""
    hasher = sha256(kind.encode())
    hasher.update(json.dumps(facts, sort_keys=True).encode())
    for name, column in sorted(columns.items()):
        hasher.update(f"\0{name}\0{column.dtype.str}\0{column.shape}\0".encode())
        for piece in pieces(column):
            hasher.update(np.ascontiguousarray(piece).data)
    return hasher.hexdigest()


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document of plain values with a seal over all of it."""
    rest = {key: value for key, value in document.items() if key != _SEAL}
    return rest | {_SEAL: sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()}


def holds(document: Mapping[str, Any]) -> bool:
    """Return whether a document is as it was sealed; one that never was is taken as it is."""
    return _SEAL not in document or sealed(document)[_SEAL] == document[_SEAL]
