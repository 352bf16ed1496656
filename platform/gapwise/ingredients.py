"""What a made example was made from (notes 4.15): a column of metadata that can be counted.

An example's ingredients stand as ``kind/name``, joined by `` + ``: ``texture/brick + digit/0042``.
Whoever synthesizes writes them, and whoever asks how diverse the made data is counts them: an hour
of car noise laid under a thousand hours of speech is one ingredient, a thousand times.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

COLUMN: Final = "ingredients"
_AND: Final = " + "


def recipe(parts: Iterable[tuple[str, str]]) -> str:
    """Return what stands in the column for ``(kind, name)`` of each ingredient."""
    return _AND.join(f"{kind}/{name.replace(_AND, '+')}" for kind, name in parts)


def joined(*recipes: str) -> str:
    """Return one recipe of several, empty ones left out."""
    return _AND.join(filter(None, recipes))


def by_kind(column: NDArray[np.str_]) -> dict[str, list[frozenset[str]]]:
    """Return kind → the names of that kind in each example that has any."""
    found: dict[str, list[frozenset[str]]] = {}
    for text in column.tolist():
        named: dict[str, set[str]] = {}
        for part in filter(None, text.split(_AND)):
            kind, _, name = part.partition("/")
            named.setdefault(kind, set()).add(name)
        for kind, names in named.items():
            found.setdefault(kind, []).append(frozenset(names))
    return found
