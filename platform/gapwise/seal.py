"""A seal over plain values, so that a flipped bit in a stored document is found when it is read."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

_SEAL: Final = "seal"


def digest(values: Any) -> str:
    """Return the SHA-256 of plain values, whatever the order of their keys."""
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document of plain values with a seal over all of it."""
    rest = unsealed(document)
    return rest | {_SEAL: digest(rest)}


def unsealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without its seal."""
    return {key: value for key, value in document.items() if key != _SEAL}


def holds(document: Mapping[str, Any]) -> bool:
    """Return whether a document is as it was sealed; one that never was is taken as it is."""
    return _SEAL not in document or digest(unsealed(document)) == document[_SEAL]
