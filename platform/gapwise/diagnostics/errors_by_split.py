"""The errors of one run on one split, summed as far as every diagnosis allows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, shown
from gapwise.records import Predictions
from gapwise.statistics.intervals import Clusters, Interval, clustered, wilson


@dataclass(frozen=True, kw_only=True)
class SplitErrors:
    """Errors of one run on one split (or on a part of it).

    Independent 0/1 errors of unit weight are two counts; all others are sums by group, an example
    without a group being a group of its own.

    Attributes:
        n: examples.
        rate: weighted mean error.
        wrong: number of errors where they are independent, 0 or 1, and of unit weight; else None.
        clusters: sums by group where ``wrong`` is None, or where ``keys`` are kept.
        keys: (groups,) the groups' names, sorted, kept where several runs must be matched.
        by_source: the same by source, where sources are known.
        by_class: (examples, weighted mean error) by class, where classes are known.
    """

    n: int
    rate: float
    wrong: int | None
    clusters: Clusters | None = None
    keys: NDArray[np.generic] | None = None
    by_source: Mapping[str, "SplitErrors"] = field(default_factory=dict)
    by_class: Mapping[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def groups(self) -> int | None:
        """How many groups there are; None for independent examples."""
        return None if self.wrong is not None or not self.clusters else self.clusters.groups

    @property
    def interval(self) -> Interval | None:
        """The displayed 95 % interval; None for a single group."""
        if self.wrong is not None:
            return wilson(self.wrong, self.n)
        return clustered(self.clusters) if self.clusters else None


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a predictions table that a ladder needs, all (n,).

    Attributes:
        where: what an error message calls the table.
        error: errors in [0, 1].
        weight: weights, or None for 1.
        group: codes or names of groups, or None; an empty name means no group.
        example: keys of the examples; only where several runs must be matched.
        source: names of the sources as (names, codes), or None.
        target: names of the true classes as (names, codes), or None.
    """

    where: str
    error: NDArray[np.float64]
    weight: NDArray[np.float64] | None = None
    group: NDArray[np.generic] | None = None
    example: NDArray[np.generic] | None = None
    source: tuple[list[str], NDArray[np.int64]] | None = None
    target: tuple[list[str], NDArray[np.int64]] | None = None


def summarise(columns: Columns) -> SplitErrors:
    """Return the sums of a table.

    Raises:
        DataError: an error outside of [0, 1], a weight that is negative or not a number, no
            example, or no weight at all.
    """
    _check(columns)
    weight = columns.weight
    if weight is not None and (weight == 1).all():
        weight = None
    part = _Part(columns.error, weight, group_keys(columns.group), columns.example)
    total = part.errors(slice(None))
    return SplitErrors(
        n=total.n,
        rate=total.rate,
        wrong=total.wrong,
        clusters=total.clusters,
        keys=total.keys,
        by_source=_by_source(columns, replace(part, example=None)),
        by_class=_by_class(columns, weight),
    )


def from_predictions(predictions: Predictions, keep_examples: bool = False) -> SplitErrors:
    """Return the sums of predictions that are in memory; ``keep_examples`` to match several runs.

    Raises:
        DataError: as ``summarise``.
    """
    target = _classes(predictions)
    return summarise(
        Columns(
            where=predictions.split,
            error=predictions.error,
            weight=predictions.weight,
            group=predictions.group,
            example=predictions.example_id if keep_examples else None,
            source=None if predictions.source is None else _named(predictions.source),
            target=target if target and len(target[0]) <= MOST_CLASSES else None,
        )
    )


MOST_CLASSES = 10_000


@dataclass(frozen=True)
class _Part:
    error: NDArray[np.float64]
    weight: NDArray[np.float64] | None
    group: NDArray[np.generic] | None
    example: NDArray[np.generic] | None

    def errors(self, rows: slice | NDArray[np.bool_]) -> SplitErrors:
        error = self.error[rows]
        weight = None if self.weight is None else self.weight[rows]
        keys = self.group if self.group is not None else self.example
        independent = weight is None and self.group is None
        binary = bool(((error == 0) | (error == 1)).all())
        if independent and binary and keys is None:
            wrong = int(error.sum())
            return SplitErrors(n=len(error), rate=wrong / len(error), wrong=wrong)
        names, clusters = _clusters(error, weight, None if keys is None else keys[rows], binary)
        wrong_count = int(error.sum()) if independent and binary else None
        return SplitErrors(
            n=len(error),
            rate=clusters.rate,
            wrong=wrong_count,
            clusters=clusters,
            keys=None if self.example is None else names,
        )


def _clusters(
    error: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    keys: NDArray[np.generic] | None,
    binary: bool,
) -> tuple[NDArray[np.generic] | None, Clusters]:
    weights = np.ones(len(error)) if weight is None else weight
    totals = weights * error
    most = float(weights.sum() ** 2 / (weights**2).sum()) if binary else None
    if keys is None:
        return None, Clusters(totals, weights, most)
    names, codes = np.unique(keys, return_inverse=True)
    return names, Clusters(
        totals=np.bincount(codes, totals, len(names)).astype(np.float64),
        weights=np.bincount(codes, weights, len(names)).astype(np.float64),
        most=most,
    )


def _check(columns: Columns) -> None:
    error, weight = columns.error, columns.weight
    if not len(error):
        raise DataError(f"{columns.where} holds no example; leave the split out or fill it")
    bad = np.flatnonzero(~((error >= 0) & (error <= 1)))
    if len(bad):
        raise DataError(
            f"{columns.where}, row {bad[0] + 1}: error is {shown(error[bad[0]])}; "
            "an error is a number from 0 to 1"
        )
    if weight is None:
        return
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(bad):
        raise DataError(
            f"{columns.where}, row {bad[0] + 1}: weight is {shown(weight[bad[0]])}; "
            "a weight is a number from 0 on"
        )
    if weight.sum() == 0:
        raise DataError(f"{columns.where}: all weights are 0; give at least one example a weight")


def group_keys(group: NDArray[np.generic] | None) -> NDArray[np.generic] | None:
    """Return group keys (n,) with examples without a group ("") as groups of one.

    None where all examples stand alone.
    """
    if group is None:
        return None
    if group.dtype.kind in "US":
        alone = group == group.dtype.type("")
        if alone.all():
            return None
        if alone.any():
            single = np.char.add("\0row ", np.arange(len(group)).astype(str))
            group = np.where(alone, single, group)
    if len(np.unique(group)) == len(group):
        return None
    return group


def _by_source(columns: Columns, part: _Part) -> dict[str, SplitErrors]:
    if columns.source is None:
        return {}
    names, codes = columns.source
    found = {}
    for code, name in enumerate(names):
        rows = codes == code
        if rows.any() and (part.weight is None or part.weight[rows].sum() > 0):
            found[name] = part.errors(rows)
    return found


def _by_class(columns: Columns, weight: NDArray[np.float64] | None) -> dict[str, tuple[int, float]]:
    if columns.target is None:
        return {}
    names, codes = columns.target
    counts = np.bincount(codes, minlength=len(names))
    weights = counts if weight is None else np.bincount(codes, weight, len(names))
    error = columns.error if weight is None else columns.error * weight
    sums = np.bincount(codes, error, len(names))
    return {
        name: (int(count), float(total / mass) if mass > 0 else 0.0)
        for name, count, total, mass in zip(names, counts, sums, weights, strict=True)
        if count
    }


def _classes(predictions: Predictions) -> tuple[list[str], NDArray[np.int64]] | None:
    """Return the true classes as names and codes; None for numbers and several labels."""
    if predictions.labels.kind != "class" or predictions.target.dtype.kind == "f":
        return None
    if predictions.classes and np.issubdtype(predictions.target.dtype, np.integer):
        return list(predictions.classes), predictions.target.astype(np.int64)
    return _named(predictions.target)


def _named(values: NDArray[np.generic]) -> tuple[list[str], NDArray[np.int64]]:
    names, codes = np.unique(values, return_inverse=True)
    return [str(name) for name in names], codes.astype(np.int64)
