"""What a reader of a diagnosis must know of a draw: one sentence each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapwise.forms.base import form_of
from gapwise.labels import UNKNOWN
from gapwise.pipeline import Splits
from gapwise.records import SPLITS, ExampleSet


def notes_on(
    examples: ExampleSet,
    split: NDArray[np.str_],
    splits: Splits,
    is_target: NDArray[np.bool_],
) -> tuple[str, ...]:
    """Return the warnings of a draw: empty splits, missing classes, broken counts."""
    notes = [*_empty(split), *_classes(examples, split)]
    if examples.groups is not None:
        notes += _groups(examples, split, splits, is_target)
    return tuple(notes)


def _empty(split: NDArray[np.str_]) -> list[str]:
    consequences = {
        "train": "nothing can be trained",
        "train_dev": "variance and data mismatch cannot be told apart",
        "dev": "no error can be measured and no model chosen",
        "test": "overfitting to dev cannot be seen",
    }
    return [
        f"{name.replace('_', '-')} is empty: {consequences[name]}."
        for name in SPLITS
        if not (split == name).any()
    ]


def _classes(examples: ExampleSet, split: NDArray[np.str_]) -> list[str]:
    labels, targets = examples.labels, examples.targets
    if labels.kind == "class" and _classes_are_groups(examples):
        return ["Every class stands in one split alone: people, say, who are told apart unseen."]
    if labels.kind == "class":
        return _of_label(targets, labels.only, split, "")
    if labels.kind == "number":
        same = len(targets) and (targets == targets[0]).all()
        told = f"All examples have {labels.names[0]} {targets[:1].sum():g}: there is nothing to"
        return [f"{told} learn."] if same else []
    if labels.is_drawn:
        shown_classes = form_of(labels).classes(labels, targets)
        return (
            [] if shown_classes is None else _of_label(shown_classes, labels.classes[0], split, "")
        )
    notes = []
    for column, (name, classes) in enumerate(zip(labels.names, labels.classes, strict=True)):
        notes += _of_label(targets[:, column], classes, split, f" of {name}")
    return notes


def _classes_are_groups(examples: ExampleSet) -> bool:
    """Return whether each class is one group, so that no split can hold the classes of another."""
    if examples.groups is None:
        return False
    groups = np.unique(examples.groups, return_inverse=True)[1]
    pairs = len(np.unique(np.stack([groups, examples.targets]), axis=1).T)
    return pairs == len(np.unique(groups)) == len(np.unique(examples.targets)) > 1


def _of_label(
    targets: NDArray[np.int64], classes: Sequence[str], split: NDArray[np.str_], of: str
) -> list[str]:
    """Return what is missing of one label; -1 among its targets is unknown."""
    present = np.unique(targets[targets != UNKNOWN])
    if len(present) == 1 and targets.ndim == 1:
        only = classes[int(present[0])]
        return [f"All examples are of one class{of}, {only!r}: there is nothing to tell apart."]
    notes = []
    for name in SPLITS:
        inside = targets[split == name]
        missing = np.setdiff1d(present, inside)
        if len(inside) and len(missing):
            shown = ", ".join(repr(classes[int(c)]) for c in missing[:5])
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            notes.append(
                f"{name.replace('_', '-')} has no example of class {shown}{more}{of}: what is "
                "measured by class is not defined there."
            )
    return notes


def _groups(
    examples: ExampleSet,
    split: NDArray[np.str_],
    splits: Splits,
    is_target: NDArray[np.bool_],
) -> list[str]:
    notes = ["Groups are drawn whole, so the splits are not stratified by class."]
    asked = {"dev": splits.dev, "test": splits.test, "train_dev": splits.train_dev}
    for name, amount in asked.items():
        held = int((split == name).sum())
        if isinstance(amount, int) and held != amount:
            notes.append(
                f"splits.{name} asks for {amount} examples and holds {held}, since groups stay "
                "together."
            )
    assert examples.groups is not None
    judging = np.isin(split, ("dev", "test"))
    left = int((np.isin(examples.groups, examples.groups[judging]) & ~is_target).sum())
    if left:
        notes.append(
            f"{left} examples outside the target are left out, since their group judges in dev "
            "or test."
        )
    return notes
