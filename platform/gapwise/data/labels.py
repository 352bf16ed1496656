"""From what stands in a label column to positions in a list of classes."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, nearest, shown

WHOLE = re.compile(r"(0|[1-9][0-9]*)", re.ASCII)


def from_names(
    names: Sequence[str], classes: Sequence[str] | None, places: Sequence[str]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the position of every label, and the classes.

    Without ``classes`` they are the names that occur, whole numbers in the order of numbers. With
    them, a label is one of them or, where all of it is a number and no class is, its position.

    Args:
        names: the labels as they stand in the file.
        classes: the class names in order, or None.
        places: where each label stands, for messages.

    Raises:
        DataError: a label is unknown, out of range, negative, or a number like 1.0.
    """
    distinct = sorted(set(names))
    first = dict(zip(reversed(names), reversed(places), strict=True))
    if classes is None:
        classes = _occurring(distinct, first)
    known = {name: position for position, name in enumerate(classes)}
    if len(known) != len(classes):
        raise DataError("data.dataset: a class stands twice in classes; name each once")
    positions = {name: _position(name, known, first[name]) for name in distinct}
    targets = np.array([positions[name] for name in names], dtype=np.int64)
    return targets, tuple(classes)


def from_numbers(
    numbers: NDArray[Any], classes: Sequence[str] | None, where: str
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return labels that are stored as whole numbers from 0, and the classes.

    Raises:
        DataError: they are no whole numbers, negative, or beyond the classes.
    """
    if numbers.dtype.kind not in "iu":
        raise DataError(
            f"{where}: labels are {numbers.dtype} numbers, but must be whole; store them as "
            "integers"
        )
    names = tuple(classes or (str(i) for i in range(int(numbers.max(initial=0)) + 1)))
    wrong = np.flatnonzero((numbers < 0) | (numbers >= len(names)))
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"{where}: label {numbers[row]} of example {row} is out of range; labels go from 0 to "
            f"{len(names) - 1}"
        )
    return numbers.astype(np.int64), names


def _occurring(distinct: list[str], first: dict[str, str]) -> list[str]:
    whole = [name for name in distinct if WHOLE.fullmatch(name)]
    if 2 * len(whole) < len(distinct) or not whole:
        return distinct
    for name in distinct:
        if _is_number(name) and not WHOLE.fullmatch(name):
            raise DataError(
                f"{first[name]}: label {shown(name)} is no whole number from 0; the other labels "
                "are: write it so"
            )
    return sorted(distinct, key=lambda name: (not WHOLE.fullmatch(name), _rank(name), name))


def _rank(name: str) -> int:
    return int(name) if WHOLE.fullmatch(name) else 0


def _position(name: str, known: dict[str, int], place: str) -> int:
    if name in known:
        return known[name]
    counted = not any(_is_number(other) for other in known)
    if counted and WHOLE.fullmatch(name) and int(name) < len(known):
        return int(name)
    if counted and _is_number(name):
        raise DataError(
            f"{place}: label {shown(name)} is no class and no whole number from 0 to "
            f"{len(known) - 1}; write a class's name or its position"
        )
    close = nearest(name, known) or sorted(known)[:3]
    raise DataError(
        f"{place}: label {shown(name)} is not among the {len(known)} classes; the nearest are "
        f"{', '.join(map(shown, close))}"
    )


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
