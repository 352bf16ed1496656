"""Several labels of one example as JSON: ``{"income": ">50K", "workclass": null}``."""

import json

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, shown
from gapwise.labels import UNKNOWN, Labels


def to_text(labels: Labels, positions: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return (n, k) positions as (n,) JSON objects of class names, null where one is unknown."""
    rows, inverse = np.unique(positions, axis=0, return_inverse=True)
    text = [_object(labels, row.tolist()) for row in rows]
    return np.array(text, dtype=np.str_)[inverse.ravel()] if text else np.empty(0, np.str_)


def from_text(labels: Labels, text: NDArray[np.str_], where: str, column: str) -> NDArray[np.int64]:
    """Return (n, k) positions of what ``to_text`` wrote.

    Raises:
        DataError: a row is no such object, or names no class; says which.
    """
    found, inverse = np.unique(text, return_inverse=True)
    rows = np.empty((len(found), len(labels.names)), dtype=np.int64)
    for position, cell in enumerate(found.tolist()):
        try:
            rows[position] = _positions(labels, cell)
        except (ValueError, KeyError, TypeError) as error:
            row = int(np.argmax(inverse == position)) + 1
            raise DataError(
                f"{where}, row {row}: {column} is {shown(cell)}; wanted is a class, or null, for "
                f"each of {', '.join(labels.names)}"
            ) from error
    return rows[inverse.ravel()]


def _object(labels: Labels, row: list[int]) -> str:
    named = zip(labels.names, labels.classes, row, strict=True)
    cells = {name: None if p == UNKNOWN else classes[p] for name, classes, p in named}
    return json.dumps(cells, ensure_ascii=False)


def _positions(labels: Labels, cell: str) -> list[int]:
    given = json.loads(cell)
    if set(given) != set(labels.names):
        raise ValueError("other labels")
    return [
        UNKNOWN if given[name] is None else classes.index(given[name])
        for name, classes in zip(labels.names, labels.classes, strict=True)
    ]
