"""What a person should see of the data before anything trains (``gapwise data``)."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from gapwise.data.assignment import Assignment
from gapwise.data.buckets import buckets
from gapwise.data.duplicates import DuplicateReport, find
from gapwise.data.label_report import (
    ClassCounts,
    NumberCounts,
    class_counts,
    number_counts,
    sources_of,
)
from gapwise.data.pieces import pieces
from gapwise.records import SPLITS, ExampleSet

SAMPLES_A_SOURCE = 8


@dataclass(frozen=True, kw_only=True)
class Column:
    """A feature's range; for images, the range of a channel (0 to 255)."""

    name: str
    low: float
    high: float
    mean: float


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """Shapes, ranges, counts and doubts.

    Attributes:
        name: the dataset.
        n: examples.
        input_shape: (channels, height, width) or (features,).
        dtype: of the inputs.
        columns: ranges by channel or feature.
        classes: class names, where every example has one class.
        classes_by_source: source → count of every class, in the order of ``classes``.
        sources_by_split: split ("" for left out) → source → count.
        classes_by_split: split → count of every class.
        labels: the counts of every label that has classes.
        numbers: how the targets lie where they are numbers.
        drawn: what lies on the examples, as ``boxes of 3 classes``; "" for other targets.
        missing: what the reader says of values that were missing, and other notes.
        quarantine: code → count.
        groups: how many groups there are; None where none are given.
        duplicates: equal and nearly equal inputs across splits.
        samples: source → ids of some pictures or rows, spread over the classes.
    """

    name: str
    n: int
    input_shape: tuple[int, ...]
    dtype: str
    columns: tuple[Column, ...]
    classes: tuple[str, ...]
    classes_by_source: dict[str, list[int]]
    sources_by_split: dict[str, dict[str, int]]
    classes_by_split: dict[str, list[int]]
    labels: tuple[ClassCounts, ...]
    numbers: NumberCounts | None
    drawn: str
    missing: tuple[str, ...]
    quarantine: dict[str, int]
    groups: int | None
    duplicates: DuplicateReport
    samples: dict[str, list[str]]


def summary(examples: ExampleSet, assignment: Assignment) -> DataReport:
    """Return what is to be seen of ``examples`` and their splits."""
    sources = sources_of(examples)
    labels = class_counts(examples, assignment)
    only = labels[0] if examples.labels.kind == "class" else None
    return DataReport(
        name=examples.name,
        n=len(examples),
        input_shape=tuple(examples.inputs.shape[1:]),
        dtype=str(examples.inputs.dtype),
        columns=_columns(examples),
        classes=examples.classes,
        classes_by_source=only.by_source if only else {source: [] for source in sources},
        sources_by_split={
            split: dict(Counter(examples.sources[assignment.split == split].tolist()))
            for split in (*SPLITS, "")
        },
        classes_by_split=only.by_split if only else {split: [] for split in SPLITS},
        labels=labels,
        numbers=number_counts(examples, assignment),
        drawn=examples.labels.told if examples.labels.is_drawn else "",
        missing=(*examples.notes, *assignment.notes),
        quarantine=dict(Counter(item.code for item in examples.quarantine)),
        groups=None if examples.groups is None else len(np.unique(examples.groups)),
        duplicates=find(examples, assignment),
        samples={source: _samples(examples, source) for source in sources},
    )


def _columns(examples: ExampleSet) -> tuple[Column, ...]:
    """Return the range of every channel or feature, in one pass of pieces."""
    width = examples.inputs.shape[1]
    low, high, total = np.full(width, np.inf), np.full(width, -np.inf), np.zeros(width)
    for piece in pieces(examples.inputs):
        flat = np.moveaxis(piece, 1, -1).reshape(-1, width)
        low = np.minimum(low, flat.min(axis=0))
        high = np.maximum(high, flat.max(axis=0))
        total += flat.sum(axis=0, dtype=np.float64)
    mean = total / max(1, examples.inputs.size // width)
    names = examples.feature_names or [f"channel {i}" for i in range(width)]
    rows = zip(names, low.tolist(), high.tolist(), mean.tolist(), strict=True)
    return tuple(Column(name=n, low=a, high=b, mean=m) for n, a, b, m in rows)


def _samples(examples: ExampleSet, source: str) -> list[str]:
    """Return ids of a source, one class (or range) after the other, always the same ones."""
    rows = np.flatnonzero(examples.sources == source)
    targets = buckets(examples)[0][rows]
    turn = np.zeros(len(rows), dtype=np.int64)
    for target in np.unique(targets):
        turn[targets == target] = np.arange((targets == target).sum())
    order = np.lexsort((targets, turn))[:SAMPLES_A_SOURCE]
    return [str(name) for name in examples.ids[rows[order]]]
