"""The value of a metric with its interval, and whether two runs differ in it.

Errors get the ladder's intervals and the tests of ``compare``. Precision, recall and F1 are no
means of examples: their variance is bootstrapped by group, turned into the sample size that would
have it, and put into Wilson's formula, as the ladder does with grouped errors (Korn and Graubard
1998); two runs are told apart by swapping their predictions at random, group by group (Noreen 1989,
*Computer-Intensive Methods for Testing Hypotheses*; Yeh 2000, COLING).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gapwise.diagnostics import drawn, parts
from gapwise.diagnostics.compare import compare
from gapwise.diagnostics.errors_by_split import from_predictions, group_keys
from gapwise.diagnostics.measures import Measure
from gapwise.diagnostics.weighing import Weighing, balanced, weighed
from gapwise.errors import DataError, did_you_mean, shown
from gapwise.metrics.classification import Numbers, Tallies
from gapwise.records import Predictions
from gapwise.statistics.intervals import CONFIDENCE, Interval, score

DRAWS = 1000
SWAPS = 4000
MOST_BLOCKS = 500
_CELLS = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Value:
    """A metric's value; None where it is undefined or not known, and why.

    Attributes:
        value: in the metric's own unit.
        interval: of 95 %; None where there is none.
        why: what is missing, or what a reader must know.
    """

    value: float | None
    interval: Interval | None = None
    why: str = ""


def value_of(
    measure: Measure, predictions: Predictions, weighings: Sequence[Weighing] = ()
) -> Value:
    """Return a metric of kind ``error``, ``table`` or ``drawn`` for one run's predictions.


    Raises:
        DataError: it does not fit the task, or there is no such class or column.
    """
    if measure.kind == "table":
        return _figure(measure, predictions)
    if measure.kind == "drawn":
        value, interval = drawn.figure_of(measure, predictions)
        missing = "no class occurs" if value is None else "a single group shows no spread"
        return Value(value=value, interval=interval, why="" if interval else missing)
    errors = from_predictions(judged(measure, predictions, weighings))
    found = errors.interval
    why = "" if found else "a single group shows no spread"
    if measure.base == "accuracy":
        turned = None if found is None else Interval(1 - found.high, 1 - found.low)
        return Value(value=1 - errors.rate, interval=turned, why=why)
    return Value(value=errors.rate, interval=found, why=why)


def p_value(
    measure: Measure, a: Predictions, b: Predictions, weighings: Sequence[Weighing] = ()
) -> float:
    """Return the two-sided p-value of no difference between two runs on their shared examples.

    Raises:
        DataError: the two share no examples, or not their labels.
    """
    if measure.kind == "error":
        return compare(judged(measure, a, weighings), judged(measure, b, weighings)).p_value
    compare(a, b)  # refuses what cannot be paired
    _, rows_a, rows_b = np.intersect1d(a.example_id, b.example_id, return_indices=True)
    names = list(dict.fromkeys([*a.classes, *b.classes]))
    if measure.kind == "drawn":
        return drawn.p_value_of(measure, parts.taken(a, rows_a), parts.taken(b, rows_b))
    first, second = _table(measure, a, names, rows_a), _table(measure, b, names, rows_b)
    units = _units(a)
    return _swapped(measure, (first, second), rows_a if units is None else units[rows_a])


def judged(
    measure: Measure, predictions: Predictions, weighings: Sequence[Weighing] = ()
) -> Predictions:
    """Return ``predictions`` with the errors and weights whose mean the metric is."""
    if measure.base == "weighted_error":
        return weighed(predictions, weighings)
    return balanced(predictions, measure.of) if measure.base == "mean_error" else predictions


@dataclass(frozen=True)
class _Table:
    """One run's examples by true and predicted class: positions in ``classes``."""

    classes: Sequence[str]
    target: NDArray[np.int64]
    predicted: NDArray[np.int64]
    weight: Numbers

    def tallies(self, sums: NDArray[np.float64] | None = None) -> Tallies:
        """Return the tallies of all, or of (…, 3 × classes) sums that were drawn."""
        if sums is None:
            sums = self.by_unit(np.zeros(len(self.target), np.int64), 1)[0]
        right, said, support = np.split(sums, 3, axis=-1)
        return Tallies(right, said, support)

    def by_unit(self, units: NDArray[np.int64], count: int) -> Numbers:
        """Return (units, 3 × classes) sums of right, said and support."""
        k = len(self.classes)
        sums = np.zeros(count * 3 * k)
        hit = self.target == self.predicted
        for part, classes, weight in (
            (0, self.target, self.weight * hit),
            (1, self.predicted, self.weight),
            (2, self.target, self.weight),
        ):
            sums += np.bincount(units * 3 * k + part * k + classes, weight, count * 3 * k)
        return sums.reshape(count, 3 * k)


def _table(
    measure: Measure,
    predictions: Predictions,
    names: Sequence[str],
    rows: NDArray[np.int64] | slice = slice(None),
) -> _Table:
    """Return the examples of ``rows`` by class, in the order of ``names``."""
    classes = predictions.classes
    if (
        predictions.labels.kind != "class"
        or not classes
        or predictions.target.dtype.kind not in "iu"
    ):
        raise DataError(
            f"{measure.name} needs one class an example, but the predictions of "
            f"{predictions.split} are of {predictions.labels.told}; use error or accuracy"
        )
    if measure.of and measure.of not in names:
        raise DataError(
            f"{measure.name}: there is no class {shown(measure.of)!r}; "
            f"{did_you_mean(measure.of, names)}"
        )
    place = np.array([names.index(name) for name in classes], np.int64)
    return _Table(
        classes=names,
        target=place[predictions.target[rows]],
        predicted=place[predictions.predicted[rows]],
        weight=predictions.weight[rows].astype(np.float64),
    )


def _reduced(measure: Measure, tallies: Tallies, classes: Sequence[str]) -> Numbers:
    if measure.of:
        values: Numbers = tallies.each(measure.base)[..., classes.index(measure.of)]
        return values
    return tallies.mean(measure.base, weighted=measure.average == "weighted")


def _figure(measure: Measure, predictions: Predictions) -> Value:
    table = _table(measure, predictions, predictions.classes)
    tallies = table.tallies()
    value = float(_reduced(measure, tallies, table.classes))
    if np.isnan(value):
        return Value(value=None, why=f"{measure.name} is undefined: {_missing(measure)}")
    units = _units(predictions)
    independent = units is None and bool((predictions.weight == 1).all())
    units = np.arange(len(predictions)) if units is None else units
    groups = int(units.max()) + 1
    if groups < 2:
        return Value(value=value, why="a single group shows no spread")
    variance = _variance(measure, table, units)
    most = _most(measure, tallies, table.classes)
    most = most if independent else min(most, float(groups))
    size = most if variance <= 0 else min(most, value * (1 - value) / variance) or most
    normal = stats.norm if independent else stats.t(groups - 1)
    quantile = float(normal.ppf((1 + CONFIDENCE) / 2))
    return Value(
        value=value,
        interval=score(value, size, quantile),
        why=_undefined(measure, tallies, table.classes),
    )


def _variance(measure: Measure, table: _Table, units: NDArray[np.int64]) -> float:
    """Return the bootstrap variance by group; more than 500 groups are merged at random first."""
    generator = np.random.default_rng(0)
    count = int(units.max()) + 1
    if count > MOST_BLOCKS:
        units = (generator.permutation(count) % MOST_BLOCKS)[units]
        count = MOST_BLOCKS
    sums = table.by_unit(units, count)
    times = generator.multinomial(count, np.full(count, 1 / count), DRAWS)
    drawn = _reduced(measure, table.tallies(times @ sums), table.classes)
    drawn = drawn[~np.isnan(drawn)]
    return float(drawn.var(ddof=1)) if len(drawn) > 1 else 0.0


def _most(measure: Measure, tallies: Tallies, classes: Sequence[str]) -> float:
    """Return the independent examples that the figure rests on: what its size never exceeds.

    Of a class those that its quotient counts; of a mean over classes, each of as many as it has,
    the examples of as good a mean (harmonic).
    """
    counts = {
        "precision": tallies.said,
        "recall": tallies.support,
        "f1": tallies.said + tallies.support - tallies.right,
    }[measure.base]
    if measure.of:
        return float(counts[classes.index(measure.of)])
    if measure.average == "weighted":
        return float(tallies.support.sum())
    kept = counts[counts > 0]
    return float(len(kept) ** 2 / (1 / kept).sum())


def _units(predictions: Predictions) -> NDArray[np.int64] | None:
    """Return (n,) the group that each example is resampled with; None where each stands alone."""
    keys = group_keys(predictions.group)
    return None if keys is None else np.unique(keys, return_inverse=True)[1].astype(np.int64)


def _swapped(measure: Measure, pair: tuple[_Table, _Table], units: NDArray[np.int64]) -> float:
    """Return how often random swaps give as large a difference: approximate randomization."""
    codes = np.unique(units, return_inverse=True)[1]
    sums_a, sums_b = (table.by_unit(codes, int(codes.max()) + 1) for table in pair)
    moved = sums_a - sums_b
    moved = moved[moved.any(axis=1)]
    if not len(moved):
        return 1.0
    total_a, total_b = sums_a.sum(axis=0), sums_b.sum(axis=0)

    def difference(first: Numbers, second: Numbers) -> Numbers:
        tallies = [table.tallies(sums) for table, sums in zip(pair, (first, second), strict=True)]
        one, other = (_reduced(measure, each, pair[0].classes) for each in tallies)
        return np.nan_to_num(np.abs(one - other))

    seen = float(difference(total_a, total_b))
    generator = np.random.default_rng(0)
    chunk = max(1, _CELLS // len(moved))
    beyond = 0
    for start in range(0, SWAPS, chunk):
        size = (min(chunk, SWAPS - start), len(moved))
        shift = generator.integers(0, 2, size).astype(np.float64) @ moved
        beyond += int((difference(total_a - shift, total_b + shift) >= seen - 1e-12).sum())
    return (beyond + 1) / (SWAPS + 1)


def _missing(measure: Measure) -> str:
    if not measure.of:
        return "no class occurs"
    told = {"precision": "is never predicted", "recall": "does not occur"}
    return f"{shown(measure.of)} {told.get(measure.base, 'neither occurs nor is predicted')}"


def _undefined(measure: Measure, tallies: Tallies, classes: Sequence[str]) -> str:
    if measure.of:
        return ""
    missing = [n for n, v in zip(classes, tallies.each(measure.base), strict=True) if np.isnan(v)]
    if not missing:
        return ""
    named = ", ".join(shown(name) for name in missing[:3]) + (", …" if len(missing) > 3 else "")
    return f"{measure.base} of {named} is undefined and left out of the mean"
