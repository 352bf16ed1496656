"""Two runs on the same examples: who errs less, surely so or not, and on which examples.

Exact McNemar and Tango's score interval for independent 0/1 errors of unit weight. Otherwise, with
groups, weights or errors that are fractions (numbers, several labels): sign flips of the paired
differences, by group where there are groups and by example else, and a linearised interval.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.knob_changes import acts_on, credit, knobs_changed
from gapwise.diagnostics.parts import labels_digest
from gapwise.errors import DataError, shown
from gapwise.records import Predictions
from gapwise.statistics.intervals import Interval
from gapwise.statistics.paired import mcnemar, tango
from gapwise.statistics.signflip import clustered_difference, sign_flip

LEVEL = 0.05
_MEASURES = ("task.error", "task.tolerance", "task.relative_tolerance")
"""Keys of a pipeline that say what an example's error is."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What ``compare --json`` says; differences are error(A) − error(B), fractions of 1.

    Attributes:
        split: the split compared.
        n_shared: examples that both predicted.
        difference, low, high: difference of errors with its 95 % interval; None for one group.
        p_value: exact McNemar's, or of sign flips.
        verdict: ``a`` or ``b``, the run with the lower error, or ``undecided``.
        fixed, broken: examples wrong in A and right in B, and the other way round; with errors that
            are fractions, examples that err less in B, and more.
        fixed_ids, broken_ids: their ids; of fractions the greatest change first.
        knobs_changed: dotted key → [value in A, value in B] where the pipelines differ.
        extra: further fields of the document.
    """

    split: str
    n_shared: int
    difference: float
    low: float | None
    high: float | None
    p_value: float
    verdict: str
    fixed: int
    broken: int
    fixed_ids: tuple[str, ...]
    broken_ids: tuple[str, ...]
    knobs_changed: Mapping[str, tuple[Any, Any]]
    extra: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``compare --json``."""
        document = asdict(self)
        document |= document.pop("extra")
        for key in ("fixed_ids", "broken_ids"):
            document[key] = list(document[key])
        document["knobs_changed"] = {k: list(v) for k, v in self.knobs_changed.items()}
        return document


def compare(
    a: Predictions,
    b: Predictions,
    *,
    pipelines: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None] = (None, None),
    tags: Mapping[str, Collection[str]] | None = None,
) -> Comparison:
    """Compare two runs' predictions of one split on the examples that they share.

    ``tags``, example → its tags, are what people saw in them.

    Raises:
        DataError: other splits, no shared example, or other labels for them (by class name: one
            run may know a class that the other never met), targets of another kind, or errors that
            the tasks of the two measure differently.
    """
    changed = knobs_changed(*pipelines)
    _check_measure(changed, [(pipeline or {}).get("task", {}) for pipeline in pipelines])
    first, second = _shared(a, b)
    errors_a, errors_b = a.error[first], b.error[second]
    weight = a.weight[first]
    group = None if a.group is None else a.group[first]
    ids = a.example_id[first]
    fixed, broken = errors_a > errors_b, errors_b > errors_a
    n = len(ids)
    counted = _independent(errors_a, errors_b, weight, group)
    interval: Interval | None
    if counted:
        counts = int(fixed.sum()), int(broken.sum())
        interval, p_value = tango(*counts, n), mcnemar(*counts)
    else:
        sums, weights = _by_group(weight * (errors_a - errors_b), weight, group)
        interval, p_value = clustered_difference(sums, weights), sign_flip(sums)
    difference = float((weight * (errors_a - errors_b)).sum() / weight.sum())
    order = np.argsort(-np.abs(errors_a - errors_b), kind="stable")
    return Comparison(
        split=a.split,
        n_shared=n,
        difference=difference,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        p_value=p_value,
        verdict=_verdict(difference, p_value),
        fixed=int(fixed.sum()),
        broken=int(broken.sum()),
        fixed_ids=tuple(ids[order][fixed[order]].tolist()),
        broken_ids=tuple(ids[order][broken[order]].tolist()),
        knobs_changed=changed,
        extra={
            "test": "exact McNemar" if counted else f"sign flips by {_unit(group)}",
            "fractional": not _binary(errors_a, errors_b),
            "n_a": len(a),
            "n_b": len(b),
            "credit": credit(changed),
            "acts_on": {key: gap for key in changed if (gap := acts_on(key))},
            "says": _disagreement(p_value, interval),
            "by": {
                column: _flips_by(values[first], fixed, broken)
                for column, values in _columns(a).items()
            }
            | _by_tag(ids, tags or {}, fixed, broken),
        },
    )


def _check_measure(changed: Mapping[str, tuple[Any, Any]], tasks: Sequence[Any]) -> None:
    """Refuse errors that were not measured alike: they are no two answers to one question."""
    tolerated = any(isinstance(task, Mapping) and task.get("error") == "beyond" for task in tasks)
    for key in _MEASURES if tolerated else _MEASURES[:1]:
        if key in changed and None not in changed[key]:
            ours, theirs = changed[key]
            raise DataError(
                f"the runs measure errors differently ({key}: {shown(ours)} and {shown(theirs)}), "
                "so no difference of them means anything; train one again with the other's"
            )


def _columns(predictions: Predictions) -> dict[str, NDArray[Any]]:
    """Return what flips are counted by: class and source, where they are known."""
    found: dict[str, NDArray[Any]] = {}
    if predictions.labels.kind == "class" and predictions.target.ndim == 1:
        found["class"] = _label_names(predictions)
    if predictions.source is not None:
        found["source"] = predictions.source
    return found


def _flips_by(
    values: NDArray[Any], fixed: NDArray[np.bool_], broken: NDArray[np.bool_]
) -> dict[str, dict[str, int]]:
    names, codes = np.unique(values, return_inverse=True)
    counts = (
        np.bincount(codes, rows, len(names)).astype(int)
        for rows in (np.ones(len(codes)), fixed, broken)
    )
    return {
        str(name): {"n": int(n), "fixed": int(one), "broken": int(other)}
        for name, n, one, other in zip(names, *counts, strict=True)
    }


def _by_tag(
    ids: NDArray[np.str_],
    tags: Mapping[str, Collection[str]],
    fixed: NDArray[np.bool_],
    broken: NDArray[np.bool_],
) -> dict[str, dict[str, dict[str, int]]]:
    """Count flips by tag; an example of several tags counts with each."""
    rows = np.flatnonzero(np.isin(ids, np.array(list(tags), np.str_)))
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        for tag in tags[str(ids[row])]:
            one = counts.setdefault(tag, {"n": 0, "fixed": 0, "broken": 0})
            one["n"] += 1
            one["fixed"] += int(fixed[row])
            one["broken"] += int(broken[row])
    return {"tag": dict(sorted(counts.items()))} if counts else {}


def _disagreement(p_value: float, interval: Interval | None) -> str:
    """Say when test and interval disagree: they are different methods, and the edge is narrow."""
    if interval is None:
        return ""
    excludes = interval.low > 0 or interval.high < 0
    if excludes and p_value >= LEVEL:
        return (
            "The interval excludes 0, but the test does not reject equality: the two are different "
            "methods and this is the edge; the verdict follows the test, which is the more careful."
        )
    if not excludes and p_value < LEVEL:
        return (
            "The test rejects equality, but the interval holds 0: the two are different methods "
            "and this is the edge; take the verdict as barely there."
        )
    return ""


def _verdict(difference: float, p_value: float) -> str:
    if p_value >= LEVEL or difference == 0:
        return "undecided"
    return "b" if difference > 0 else "a"


def _shared(a: Predictions, b: Predictions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if a.split != b.split:
        raise DataError(
            f"the runs' predictions are of {shown(a.split)} and {shown(b.split)}; "
            "compare one and the same split"
        )
    ids, first, second = np.intersect1d(a.example_id, b.example_id, return_indices=True)
    if not len(ids):
        raise DataError(
            f"the runs share 0 of {len(a)} and {len(b)} {a.split} examples ({_digests(a, b)}); "
            "compare runs on the same data and split"
        )
    order = np.argsort(first)
    first, second = first[order], second[order]
    if _predicts(a) != _predicts(b):
        raise DataError(
            f"the runs predict different things on {len(ids)} shared examples, {a.labels.told} and "
            f"{b.labels.told} ({_digests(a, b)}); compare runs of one task"
        )
    unlike = _label_names(a)[first] != _label_names(b)[second]
    differing = np.flatnonzero(unlike.any(axis=1) if unlike.ndim == 2 else unlike)
    if len(differing):
        example = shown(a.example_id[first[differing[0]]])
        raise DataError(
            f"the runs disagree on the label of {len(differing)} of {len(ids)} shared {a.split} "
            f"examples, {example} first ({_digests(a, b)}); compare runs under one label revision"
        )
    return first, second


def _digests(a: Predictions, b: Predictions) -> str:
    return f"digests of examples and labels {labels_digest(a)} and {labels_digest(b)}"


def _predicts(predictions: Predictions) -> tuple[str, ...]:
    labels = predictions.labels
    return (labels.kind, *labels.names) if labels.kind == "several" else (labels.kind,)


def _label_names(predictions: Predictions) -> NDArray[np.str_]:
    target = predictions.target
    if target.ndim == 2:
        columns = zip(target.T, predictions.labels.classes, strict=True)
        # An unknown label is -1: the last name.
        named = [np.array([*classes, ""], dtype=np.str_)[column] for column, classes in columns]
        return np.stack(named, axis=1)
    if predictions.classes and target.dtype.kind in "iu":
        names = np.array(predictions.classes, dtype=np.str_)
        return np.asarray(names[target], dtype=np.str_)
    return np.asarray(target, dtype=np.str_)


def _independent(
    errors_a: NDArray[np.float64],
    errors_b: NDArray[np.float64],
    weight: NDArray[np.float64],
    group: NDArray[np.str_] | None,
) -> bool:
    alone = _unit(group) == "example"
    return bool(_binary(errors_a, errors_b) and alone and (weight == 1).all())


def _binary(*errors: NDArray[np.float64]) -> bool:
    return all(bool(((e == 0) | (e == 1)).all()) for e in errors)


def _unit(group: NDArray[np.str_] | None) -> str:
    """Return what errs independently: "group", or "example" where each is a group of its own."""
    alone = group is None or len(np.unique(group)) == len(group) or (group == "").all()
    return "example" if alone else "group"


def _by_group(
    sums: NDArray[np.float64], weights: NDArray[np.float64], group: NDArray[np.str_] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if group is None:
        return sums, weights
    names, codes = np.unique(group, return_inverse=True)
    alone = names[codes] == ""
    codes = np.where(alone, len(names) + np.arange(len(codes)), codes)
    codes = np.unique(codes, return_inverse=True)[1]
    totals, masses = np.bincount(codes, sums), np.bincount(codes, weights)
    return totals.astype(np.float64), masses.astype(np.float64)
