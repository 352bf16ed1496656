"""Targets as a few buckets: what draws are stratified by, and samples are spread over.

A class is a bucket of its own; of several labels the first one counts, and where it is unknown is
a bucket too; numbers fall into ranges that hold a tenth of the examples each; of what is drawn,
its form knows.
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import shown
from gapwise.forms.base import form_of
from gapwise.labels import UNKNOWN
from gapwise.records import ExampleSet

RANGES = 10
EDGES = "edges"
"""Key among saved cuts: position → number at which a range of targets ends and the next begins."""


def buckets(
    examples: ExampleSet, edges: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the bucket of every example, (n,), and the buckets' names.

    Args:
        examples: with targets of any kind.
        edges: where ranges of numbers meet; by default ``range_edges``.
    """
    labels, targets = examples.labels, examples.targets
    if labels.kind == "number":
        edges = range_edges(targets) if edges is None else edges
        return np.searchsorted(edges, targets, side="right").astype(np.int64), range_names(edges)
    if labels.kind == "class":
        return targets, labels.only
    if labels.is_drawn:
        return form_of(labels).buckets(labels, targets)
    first = targets[:, 0]
    codes = np.where(first == UNKNOWN, len(labels.classes[0]), first)
    return codes, (*labels.classes[0], f"({shown(labels.names[0])} unknown)")


def range_edges(targets: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the numbers at which ten equally large parts of the targets meet, each once."""
    inner = np.linspace(0, 1, RANGES + 1)[1:-1]
    return np.unique(np.quantile(targets.astype(np.float64), inner))


def range_names(edges: NDArray[np.float64]) -> tuple[str, ...]:
    """Return a name for each range: what it begins and ends with."""
    told = [f"{edge:,.6g}" for edge in edges]
    if not told:
        return ("all",)
    between = [f"{low} to {high}" for low, high in pairwise(told)]
    return (f"below {told[0]}", *between, f"{told[-1]} and more")


def saved_edges(cuts: Mapping[str, Mapping[str, float]]) -> NDArray[np.float64] | None:
    """Return the edges that a saved draw used, None where it had none."""
    stored = cuts.get(EDGES)
    return None if stored is None else np.array([stored[key] for key in sorted(stored, key=int)])
