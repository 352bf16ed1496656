"""What must hold of targets, whatever they are."""

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, shown
from gapwise.forms.base import form_of
from gapwise.labels import UNKNOWN, Labels
from gapwise.records import ExampleSet


def check_targets(examples: ExampleSet) -> None:
    """Check targets against what ``labels`` tells of them.

    Raises:
        DataError: their shape or type is another, a position is out of range, a number is not
            finite, or an example has no known label at all.
    """
    labels, targets = examples.labels, examples.targets
    n = len(examples)
    if labels.is_drawn:
        _check_drawn(examples)
        return
    form = ((n, len(labels.names)) if labels.kind == "several" else (n,)), FORMS[labels.kind]
    if (targets.shape, targets.dtype) != form:
        raise DataError(
            f"dataset {examples.name!r}: targets are {targets.dtype} of shape {targets.shape}, but "
            f"{labels.told} want {form[1]} of shape {form[0]}; mend the reader"
        )
    if labels.kind == "number":
        _refuse(examples, ~np.isfinite(targets), "give a finite number")
    elif labels.kind == "class":
        _check_positions(examples, targets, labels, 0)
    else:
        for column in range(len(labels.names)):
            _check_positions(examples, targets[:, column], labels, column)
        none = (targets == UNKNOWN).all(axis=1)
        _refuse(examples, none, "give each example one known label at least")


def _check_drawn(examples: ExampleSet) -> None:
    labels, targets, form = examples.labels, examples.targets, form_of(examples.labels)
    shape = form.shape(labels, targets)
    if (targets.shape, targets.dtype) != (shape, form.dtype):
        raise DataError(
            f"dataset {examples.name!r}: targets are {targets.dtype} of shape {targets.shape}, but "
            f"{labels.told} want {form.dtype} of shape {shape}; mend the reader"
        )
    for wrong, mend in form.wrong(labels, targets):
        if wrong.any():
            name = shown(examples.ids[int(np.argmax(wrong))])
            raise DataError(f"dataset {examples.name!r}: example {name} has a wrong label; {mend}")


FORMS = {"class": np.dtype(np.int64), "number": np.dtype(np.float32), "several": np.dtype(np.int64)}


def _check_positions(
    examples: ExampleSet, targets: NDArray[np.int64], labels: Labels, column: int
) -> None:
    classes = labels.classes[column]
    if labels.kind == "several" and len(set(classes)) < 2:
        raise DataError(
            f"dataset {examples.name!r}: label {shown(labels.names[column])} has {len(classes)} "
            "classes, so there is nothing to tell apart; leave it out"
        )
    lowest = UNKNOWN if labels.kind == "several" else 0
    wrong = (targets < lowest) | (targets >= len(classes))
    _refuse(examples, wrong, f"labels go from 0 to {len(classes) - 1}", targets)


def _refuse(
    examples: ExampleSet,
    wrong: NDArray[np.bool_],
    mend: str,
    targets: NDArray[np.int64] | None = None,
) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        value = (examples.targets if targets is None else targets)[row]
        raise DataError(
            f"dataset {examples.name!r}: example {shown(examples.ids[row])} has label {value}; "
            f"{mend}"
        )
