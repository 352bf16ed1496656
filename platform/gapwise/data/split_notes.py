"""What a reader of a diagnosis must know of a draw: one sentence each."""

import numpy as np
from numpy.typing import NDArray

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
    present = np.unique(examples.targets)
    if len(present) == 1:
        only = examples.classes[int(present[0])]
        return [f"All examples are of one class, {only!r}: there is nothing to tell apart."]
    notes = []
    for name in SPLITS:
        inside = examples.targets[split == name]
        missing = np.setdiff1d(present, inside)
        if len(inside) and len(missing):
            shown = ", ".join(repr(examples.classes[int(c)]) for c in missing[:5])
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            notes.append(
                f"{name.replace('_', '-')} has no example of class {shown}{more}: what is "
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
