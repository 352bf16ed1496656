"""How two splits differ beside their errors: what the data mismatch is made of (notes 4.13–4.15).

A domain classifier says how far the splits can be told apart at all; columns say by what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gapwise import ingredients
from gapwise.diagnostics.errors_by_split import group_keys
from gapwise.statistics.auc import Auc, auc
from gapwise.statistics.intervals import CONFIDENCE

MOST_FEATURES: Final = 64
FOLDS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Side:
    """Examples of one split, or of one source of it.

    Attributes:
        n: how many.
        features: (n, d) what a classifier sees; None where nothing is at hand.
        columns: what is known of the examples, numbers or names, each (n,).
        group: (n,) or None.
    """

    n: int
    features: NDArray[np.float32] | None
    columns: Mapping[str, NDArray[Any]]
    group: NDArray[np.generic] | None = None


@dataclass(frozen=True, kw_only=True)
class NumberShift:
    """A number's mean in both splits; the difference's 95 % interval, and in deviations."""

    column: str
    before: float
    after: float
    difference: float
    low: float | None
    high: float | None
    in_deviations: float


@dataclass(frozen=True, kw_only=True)
class NameShift:
    """How differently names are spread: half the sum of the differences of their shares.

    Attributes:
        column: its name.
        apart: the total variation distance, 0 where alike, 1 where no name is shared.
        unseen: share of the later split's examples whose name the earlier one never shows.
        most: the name whose share differs most, with both shares.
    """

    column: str
    apart: float
    unseen: float
    most: tuple[str, float, float]


def told_apart(before: Side, after: Side) -> Auc | None:
    """Return how well a linear classifier tells two splits apart on examples it was not fitted to.

    Logistic regression on standardised features (the first 64 principal components, where there
    are more), five folds, groups whole; Ben-David et al. (2010), Machine Learning 79, bound the
    error on the target by it. None where there are no features or too few examples.
    """
    from sklearn.decomposition import PCA  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
    from sklearn.model_selection import StratifiedGroupKFold  # type: ignore[import-untyped]
    from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]
    from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

    if before.features is None or after.features is None:
        return None
    units = _units(before, after)
    m, n = len(before.features), len(after.features)
    if min(len(np.unique(units[:m])), len(np.unique(units[m:]))) < 2 * FOLDS:
        return None
    inputs = np.nan_to_num(np.concatenate([before.features, after.features]))
    kind = np.repeat([0, 1], [m, n])
    steps: list[Any] = [StandardScaler()]
    if inputs.shape[1] > MOST_FEATURES:
        steps.append(PCA(MOST_FEATURES, svd_solver="randomized", random_state=0))
    model = make_pipeline(*steps, LogisticRegression(max_iter=300))
    found = np.empty(m + n)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for fitted, held in folds.split(inputs, kind, units):
        model.fit(inputs[fitted], kind[fitted])
        # Each fold's scores have their own zero: they are compared by their place in the fold.
        ranks = np.argsort(np.argsort(model.decision_function(inputs[held])))
        found[held] = ranks / len(held)
    return auc(found[:m], found[m:])


def numbers(before: Side, after: Side) -> tuple[NumberShift, ...]:
    """Return how the means of numeric columns differ, the largest in deviations first."""
    found = []
    for name, values in before.columns.items():
        other = after.columns.get(name)
        if other is None or values.dtype.kind not in "iuf" or other.dtype.kind not in "iuf":
            continue
        shift = _number(name, (values, before.group), (other, after.group))
        if shift is not None:
            found.append(shift)
    return tuple(sorted(found, key=lambda one: -abs(one.in_deviations)))


def names(before: Side, after: Side) -> tuple[NameShift, ...]:
    """Return how differently names are spread, the furthest apart first."""
    found = []
    for name, values in before.columns.items():
        other = after.columns.get(name)
        if other is None or values.dtype.kind not in "USbO" or not len(values) or not len(other):
            continue
        if name == ingredients.COLUMN:  # nearly every example has its own
            continue
        known = np.unique(np.concatenate([values.astype(str), other.astype(str)]))
        shares = [
            np.bincount(np.searchsorted(known, side.astype(str)), minlength=len(known)) / len(side)
            for side in (values, other)
        ]
        place = int(np.abs(shares[1] - shares[0]).argmax())
        found.append(
            NameShift(
                column=name,
                apart=float(np.abs(shares[1] - shares[0]).sum() / 2),
                unseen=float(shares[1][shares[0] == 0].sum()),
                most=(str(known[place]), float(shares[0][place]), float(shares[1][place])),
            )
        )
    return tuple(sorted(found, key=lambda one: -one.apart))


_Column = tuple[NDArray[Any], NDArray[np.generic] | None]


def _number(name: str, before: _Column, after: _Column) -> NumberShift | None:
    from scipy import stats

    (m, a, spread, dof), (n, b, other, also) = _mean(*before), _mean(*after)
    if not (m and n):
        return None
    pooled = float(np.sqrt((np.nanvar(before[0]) + np.nanvar(after[0])) / 2))
    error = np.hypot(spread, other)
    half = None
    if min(dof, also) > 0 and np.isfinite(error):
        half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, min(dof, also)) * error)
    return NumberShift(
        column=name,
        before=a,
        after=b,
        difference=b - a,
        low=None if half is None else b - a - half,
        high=None if half is None else b - a + half,
        in_deviations=(b - a) / pooled if pooled > 0 else 0.0,
    )


def _mean(values: NDArray[Any], group: NDArray[np.generic] | None) -> tuple[int, float, float, int]:
    """Return n, the mean, its standard error by group, and groups − 1."""
    known = np.isfinite(values.astype(np.float64))
    values = values[known].astype(np.float64)
    if not len(values):
        return 0, 0.0, 0.0, 0
    mean = float(values.mean())
    keys = None if group is None else group_keys(group[known])
    parts: NDArray[np.float64] = values - mean
    if keys is not None:
        codes = np.unique(keys, return_inverse=True)[1]
        parts = np.bincount(codes, parts).astype(np.float64)
    count = len(parts)
    error = np.sqrt((parts**2).sum() * count / max(1, count - 1)) / len(values)
    return len(values), mean, float(error), count - 1


def _units(before: Side, after: Side) -> NDArray[np.int64]:
    """Return what is kept in one fold together: groups, which both splits may share."""
    keys = []
    for number, side in enumerate((before, after)):
        assert side.features is not None
        own = group_keys(side.group)
        alone = np.char.add(f"\0{number} ", np.arange(len(side.features)).astype(str))
        keys.append(alone if own is None else own.astype(str))
    return np.unique(np.concatenate(keys), return_inverse=True)[1].astype(np.int64)
