"""What one example is: told by the shape and the type of its array, for every part alike."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

Kind = Literal["row", "picture", "sequence", "words", "volume"]

TOLD: dict[Kind, str] = {
    "row": "rows of features",
    "picture": "pictures",
    "sequence": "sequences",
    "words": "sentences",
    "volume": "volumes",
}
"""What many of a kind are called."""


def kind_of(shape: Sequence[int], dtype: DTypeLike) -> Kind:
    """Return what an example is.

    Args:
        shape: of one example: (features,), (channels, height, width), (channels, length),
            (1, words) or (channels, depth, height, width).
        dtype: of its array; words are whole numbers of 32 bits or more.

    Raises:
        ValueError: there is no example of such a shape.
    """
    if len(shape) == 2:
        return "words" if is_words(dtype) else "sequence"
    kinds: dict[int, Kind] = {1: "row", 3: "picture", 4: "volume"}
    if len(shape) not in kinds:
        raise ValueError(f"no example has the shape {tuple(shape)}")
    return kinds[len(shape)]


def is_words(dtype: DTypeLike) -> bool:
    """Return whether arrays of this type hold words, whose numbers measure nothing."""
    kind = np.dtype(dtype)
    return kind.kind == "i" and kind.itemsize >= 4


def told(shape: Sequence[int]) -> str:
    """Return what examples of a shape are, where they are no pictures, for messages."""
    return f"rows of {shape[0]} features" if len(shape) == 1 else f"examples of {size_told(shape)}"


def size_told(shape: Sequence[int]) -> str:
    """Return an example's size as people write it: ``1×28×28``."""
    return "×".join(map(str, shape))
