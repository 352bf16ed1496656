"""What a person should see of the targets: classes and counts, or the numbers' range and shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.data.assignment import Assignment
from gapwise.forms.base import form_of
from gapwise.labels import UNKNOWN
from gapwise.records import SPLITS, ExampleSet

BINS = 10


@dataclass(frozen=True, kw_only=True)
class ClassCounts:
    """One label with classes.

    Attributes:
        name: the label.
        classes: its class names.
        by_source, by_split: source or split → count of every class.
        unknown: examples whose label is unknown.
    """

    name: str
    classes: tuple[str, ...]
    by_source: dict[str, list[int]]
    by_split: dict[str, list[int]]
    unknown: int


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """How some numbers lie: n, ends, middle, mean and deviation; None where there are none."""

    n: int
    low: float | None
    median: float | None
    mean: float | None
    high: float | None
    deviation: float | None


@dataclass(frozen=True, kw_only=True)
class NumberCounts:
    """Targets that are numbers.

    Attributes:
        name: what they are.
        unit: what they count.
        by_source, by_split: source or split → how its numbers lie.
        edges: bounds of bins of equal width.
        counts: examples in each bin, one fewer than the edges.
    """

    name: str
    unit: str
    by_source: dict[str, Numbers]
    by_split: dict[str, Numbers]
    edges: list[float]
    counts: list[int]


def class_counts(examples: ExampleSet, assignment: Assignment) -> tuple[ClassCounts, ...]:
    """Return the counts of every label that has classes."""
    labels = examples.labels
    if labels.kind == "number":
        return ()
    if labels.is_drawn:
        return _drawn_counts(examples, assignment)
    columns = examples.targets.reshape(len(examples), -1).T
    return tuple(
        ClassCounts(
            name=name,
            classes=classes,
            by_source={
                source: _counts(column[examples.sources == source], len(classes))
                for source in sources_of(examples)
            },
            by_split={s: _counts(column[assignment.split == s], len(classes)) for s in SPLITS},
            unknown=int((column == UNKNOWN).sum()),
        )
        for name, classes, column in zip(labels.names, labels.classes, columns, strict=True)
    )


def _drawn_counts(examples: ExampleSet, assignment: Assignment) -> tuple[ClassCounts, ...]:
    labels = examples.labels
    codes = form_of(labels).classes(labels, examples.targets)
    if codes is None:
        return ()
    count = len(labels.classes[0])
    sources = sources_of(examples)
    return (
        ClassCounts(
            name=labels.names[0],
            classes=labels.classes[0],
            by_source={s: _counts(codes[examples.sources == s], count) for s in sources},
            by_split={s: _counts(codes[assignment.split == s], count) for s in SPLITS},
            unknown=0,
        ),
    )


def number_counts(examples: ExampleSet, assignment: Assignment) -> NumberCounts | None:
    """Return how the numbers lie; None where the targets are classes."""
    labels, targets = examples.labels, examples.targets
    if labels.kind != "number":
        return None
    counts, edges = np.histogram(targets.astype(np.float64), BINS)
    return NumberCounts(
        name=labels.names[0],
        unit=labels.unit,
        by_source={s: _numbers(targets[examples.sources == s]) for s in sources_of(examples)},
        by_split={s: _numbers(targets[assignment.split == s]) for s in SPLITS},
        edges=[float(edge) for edge in edges],
        counts=[int(count) for count in counts],
    )


def sources_of(examples: ExampleSet) -> Sequence[str]:
    """Return the names of the sources, in the order of the alphabet."""
    return [str(name) for name in np.unique(examples.sources)]


def _counts(targets: NDArray[np.int64], classes: int) -> list[int]:
    return [int(n) for n in np.bincount(targets[targets != UNKNOWN], minlength=classes)]


def _numbers(targets: NDArray[np.float32]) -> Numbers:
    values = targets.astype(np.float64)
    if not len(values):
        return Numbers(n=0, low=None, median=None, mean=None, high=None, deviation=None)
    return Numbers(
        n=len(values),
        low=float(values.min()),
        median=float(np.median(values)),
        mean=float(values.mean()),
        high=float(values.max()),
        deviation=float(values.std()),
    )
