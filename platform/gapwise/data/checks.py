"""What every set of examples must hold, whichever reader gave it."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from gapwise.data.target_checks import check_targets
from gapwise.errors import DataError, shown
from gapwise.records import ExampleSet, Quarantined

ALWAYS_ALLOWED = 100
SHARE_ALLOWED = 0.01


def allowed_bad(total: int, limit: float | None) -> float:
    """Return how many bad examples of ``total`` are borne: 1 % or 100, whichever is more."""
    if limit is None:
        return max(ALWAYS_ALLOWED, SHARE_ALLOWED * total)
    return limit * total if limit < 1 else limit


def check_quarantine(
    quarantine: Sequence[Quarantined], kept: int, limit: float | None, where: str
) -> None:
    """Stop when too many examples are bad.

    Args:
        quarantine: the bad ones.
        kept: how many are good.
        limit: a share below 1, else a count; None for 1 % or 100, whichever is more.
        where: the dataset's name or file.

    Raises:
        DataError: names how many, the commonest reason and one of them.
    """
    bad = len(quarantine)
    total = bad + kept
    if not bad or (bad <= allowed_bad(total, limit) and kept):
        return
    code, often = Counter(item.code for item in quarantine).most_common(1)[0]
    first = next(item for item in quarantine if item.code == code)
    raise DataError(
        f"{where}: {bad} of {total} examples are bad, more than the "
        f"{allowed_bad(total, limit):g} allowed; {often} of them for {code}, such as "
        f"{shown(first.item)} ({shown(first.reason, 160)}); mend them or raise "
        "data.max_quarantine"
    )


def check_examples(examples: ExampleSet) -> None:
    """Check ids, labels and inputs.

    Raises:
        DataError: no examples, an id twice, a label out of range, or a number that is not finite.
    """
    if not len(examples):
        raise DataError(f"dataset {examples.name!r} holds no examples; add some")
    for name, values in examples.metadata.items():
        if values.dtype.kind == "O":
            raise DataError(
                f"dataset {examples.name!r}: column {shown(name)} holds Python objects; give "
                "numbers or text"
            )
    _check_ids(examples)
    check_targets(examples)
    if examples.inputs.dtype.kind == "f" and not np.isfinite(examples.inputs).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(examples.inputs))[0])
        raise DataError(
            f"dataset {examples.name!r}: example {shown(examples.ids[row])} has "
            f"{examples.inputs[row, column]} in feature {column}; give a finite number"
        )


def _check_ids(examples: ExampleSet) -> None:
    names, counts = np.unique(examples.ids, return_counts=True)
    if len(names) == len(examples):
        return
    twice = int(np.argmax(counts > 1))
    rows = np.flatnonzero(examples.ids == names[twice])[:2]
    raise DataError(
        f"dataset {examples.name!r}: id {shown(names[twice])} stands twice, at examples "
        f"{rows[0]} and {rows[1]}; give each example an id of its own (ids that look the same in "
        "two spellings of Unicode are one)"
    )
