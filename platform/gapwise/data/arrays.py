"""Arrays from a file of images or rows → the form that examples have."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError

MOST_BYTES: Final = 10 * 2**30
"""Of an array, unpacked: a file of a few megabytes may hold any number of zeros."""


def as_inputs(array: NDArray[Any], where: str) -> NDArray[Any]:
    """Return inputs as images or volumes uint8 with channels first, or (n, features) float32.

    Args:
        array: uint8 (n, height, width), (n, height, width, 1 or 3), (n, 1 or 3, height, width), or
            volumes (n, depth, height, width); or numbers (n, features).
        where: the file, for messages.

    Raises:
        DataError: it has another form.
    """
    if array.ndim == 2 and array.dtype.kind in "fiub":
        return array.astype(np.float32)
    if array.dtype == np.uint8 and array.ndim == 3:
        return array[:, None]
    if array.dtype == np.uint8 and array.ndim == 4:
        if array.shape[3] in (1, 3):
            return np.ascontiguousarray(array.transpose(0, 3, 1, 2))
        return array if array.shape[1] in (1, 3) else array[:, None]
    raise DataError(
        f"{where}: inputs are {array.dtype} of shape {array.shape}; wanted are images of uint8, "
        "(n, height, width) or (n, height, width, 1 or 3), volumes (n, depth, height, width), or "
        "rows of numbers (n, features)"
    )


def numbered(prefix: str, count: int) -> NDArray[np.str_]:
    """Return the ids ``prefix/0000`` and on, of one width."""
    width = len(str(max(0, count - 1)))
    return np.array([f"{prefix}/{index:0{width}d}" for index in range(count)])


def same_length(inputs: NDArray[Any], labels: NDArray[Any], where: str) -> None:
    """Check that there are as many labels as inputs.

    Raises:
        DataError: there are not.
    """
    if labels.ndim != 1 or len(inputs) != len(labels):
        raise DataError(
            f"{where}: {len(inputs):,} inputs but labels of shape {labels.shape}; give one label "
            "an input"
        )


def feature_names(inputs: NDArray[Any]) -> tuple[str, ...]:
    """Return names for columns that have none; images have no columns."""
    return tuple(f"feature {i}" for i in range(inputs.shape[1])) if inputs.ndim == 2 else ()
