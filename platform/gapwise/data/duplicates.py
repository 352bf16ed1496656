"""Equal inputs in several splits: a leak, since the model has seen the answer (FAULTS D4).

Exact duplicates are found by the digest of the input. Near-duplicates of images are looked for by
a 64-bit difference hash (Krawetz, 2013) and then by the pixels; they are only reported.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b, sha256
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gapwise.data.assignment import Assignment, digest_of
from gapwise.data.near import NearReport, near_pairs
from gapwise.errors import DataError, shown
from gapwise.records import ExampleSet

Policy = Literal["stop", "drop", "allow"]

RANK = {"test": 0, "dev": 1, "train_dev": 2, "train": 3}
SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class DuplicateGroup:
    """Examples with one and the same input, in more than one split.

    Attributes:
        sha256: of the input's bytes.
        ids: the examples.
        splits: the split of each.
        labels_agree: whether all of them have one label.
    """

    sha256: str
    ids: tuple[str, ...]
    splits: tuple[str, ...]
    labels_agree: bool


@dataclass(frozen=True, kw_only=True)
class DuplicateReport:
    """What was found across splits.

    Attributes:
        count: groups of equal inputs that stand in several splits.
        groups: the first of them.
        examples: examples of train (or of a lesser judge) that ``drop`` takes out.
        near: pairs of images that nearly equal each other.
    """

    count: int
    groups: tuple[DuplicateGroup, ...]
    examples: int
    near: NearReport


def find(examples: ExampleSet, assignment: Assignment) -> DuplicateReport:
    """Return the exact duplicates across splits, and the near-duplicates of images."""
    across = list(equal_across(examples, assignment))
    return DuplicateReport(
        count=len(across),
        groups=tuple(_group(examples, assignment, rows) for rows in across[:SHOWN]),
        examples=sum(len(_lesser(assignment, rows)) for rows in across),
        near=near_pairs(examples, assignment),
    )


def resolve(examples: ExampleSet, assignment: Assignment, policy: Policy) -> Assignment:
    """Return the splits after a policy was applied to exact duplicates across them.

    ``stop`` refuses them, ``drop`` takes them out of train (and out of train-dev or dev where the
    other stands in a later judge), ``allow`` leaves them and notes how many there are.

    Raises:
        DataError: there are some under ``stop``; names both examples and the digest.
    """
    across = list(equal_across(examples, assignment))
    if not across:
        return assignment
    if policy == "stop":
        raise DataError(_refusal(examples, assignment, across))
    if policy == "allow":
        note = f"{len(across)} inputs stand in more than one split (data.duplicates: allow)."
        return replace(assignment, notes=(*assignment.notes, note))
    rows = np.concatenate([_lesser(assignment, rows) for rows in across])
    split = assignment.split.copy()
    split[rows] = ""
    note = (
        f"{len(rows)} examples are left out, since their input stands in a split that judges "
        "(data.duplicates: drop)."
    )
    return replace(
        assignment,
        split=split,
        digest=digest_of(examples.ids, split),
        notes=(*assignment.notes, note),
    )


def equal_across(examples: ExampleSet, assignment: Assignment) -> Iterator[NDArray[np.int64]]:
    """Give the rows of every input that stands in more than one split, in order of rows."""
    used = np.flatnonzero(assignment.split != "")
    keys = _keys(examples.inputs, used)
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.r_[True, keys[order][1:] != keys[order][:-1]])
    groups = [rows for rows in np.split(used[order], starts[1:]) if len(rows) > 1]
    for rows in sorted(groups, key=lambda group: int(group[0])):
        if len(set(assignment.split[rows].tolist())) > 1:
            yield rows


def _keys(inputs: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.void]:
    """Return 16 bytes a row that equal inputs share: (rows,)."""
    keys = b"".join(blake2b(_bytes(inputs[row]), digest_size=16).digest() for row in rows)
    return np.frombuffer(keys, dtype="V16") if len(rows) else np.empty(0, dtype="V16")


def _bytes(row: NDArray[Any]) -> bytes:
    # -0.0 equals 0.0 and must hash so.
    return (row + 0.0 if row.dtype.kind == "f" else row).tobytes()


def _lesser(assignment: Assignment, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which of equal examples give way: all that do not stand in the last judge."""
    splits = assignment.split[rows].tolist()
    best = min(splits, key=lambda name: RANK[name])
    lesser: NDArray[np.int64] = rows[assignment.split[rows] != best]
    return lesser


def _group(examples: ExampleSet, assignment: Assignment, rows: NDArray[np.int64]) -> DuplicateGroup:
    return DuplicateGroup(
        sha256=sha256(_bytes(examples.inputs[rows[0]])).hexdigest(),
        ids=tuple(str(name) for name in examples.ids[rows]),
        splits=tuple(str(name) for name in assignment.split[rows]),
        labels_agree=len(np.unique(examples.targets[rows], axis=0)) == 1,
    )


def _refusal(examples: ExampleSet, assignment: Assignment, across: list[NDArray[np.int64]]) -> str:
    group = _group(examples, assignment, across[0])
    other = next(i for i, name in enumerate(group.splits) if name != group.splits[0])
    more = f" and {len(across) - 1} more inputs" if len(across) > 1 else ""
    return (
        f"dataset {examples.name!r}: {shown(group.ids[0])} in {group.splits[0]} and "
        f"{shown(group.ids[other])} in {group.splits[other]} are the same input (sha256 "
        f"{group.sha256[:16]}){more}; set data.duplicates to drop or allow"
    )
