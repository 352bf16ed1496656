"""Examples cut into slices: who is in the eyeball half, which slices stand out, which are worse."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gapwise.diagnostics.errors_by_split import Columns, SplitErrors, summarise
from gapwise.diagnostics.slice_columns import Coded, Numbers, hashed
from gapwise.statistics.intervals import wilson

MOST_TERMS = 3
MOST_FOUND = 20
LEAST_EXAMPLES = 30
LEAST_SHARE = 0.005

Terms = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Examples:
    """What is sliced: errors with weights and groups, and the columns, all of one split.

    Attributes:
        error, weight: (n,).
        group: (n,) keys, or None where examples are independent.
        example_id: (n,) ids, which decide who is in the eyeball half.
        columns: name → codes.
    """

    error: Numbers
    weight: Numbers
    group: NDArray[np.generic] | None
    example_id: NDArray[np.generic]
    columns: Mapping[str, Coded]

    @cached_property
    def counted(self) -> bool:
        """Whether errors are independent, 0 or 1, and of unit weight: counts tell all."""
        binary = bool(((self.error == 0) | (self.error == 1)).all())
        return self.group is None and binary and bool((self.weight == 1).all())

    def part(self, rows: NDArray[np.bool_]) -> SplitErrors | None:
        """Return the errors of some examples; None where there are none."""
        if not rows.any() or self.weight[rows].sum() <= 0:
            return None
        return summarise(
            Columns(
                where="slice",
                error=self.error[rows],
                weight=self.weight[rows],
                group=None if self.group is None else self.group[rows],
            )
        )


def halves(examples: Examples) -> NDArray[np.bool_]:
    """Return (n,) who is in the eyeball half: by a hash of the group, or of the id."""
    who = examples.example_id if examples.group is None else examples.group
    mixed = hashed(np.asarray(who).astype(str))
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    bits: NDArray[np.bool_] = ((mixed >> np.uint64(63)) & np.uint64(1)).astype(bool)
    return bits


def discovered(examples: Examples, eyeball: NDArray[np.bool_]) -> list[tuple[Terms, int, float]]:
    """Return (terms, n, error) of slices that are surely worse than all, and than their parts."""
    error, weight = examples.error[eyeball], examples.weight[eyeball]
    if not len(error) or weight.sum() <= 0:
        return []
    overall = float(np.average(error, weights=weight))
    table = _Table(
        error=error,
        weight=None if examples.counted else weight,
        least=max(LEAST_EXAMPLES, int(LEAST_SHARE * len(error))),
        # One more place, the first, for what is too rare.
        codes={
            name: one.codes[eyeball].astype(np.int64) + 1 for name, one in examples.columns.items()
        },
        sizes={name: len(one.names) + 1 for name, one in examples.columns.items()},
    )
    rates: dict[Terms, float] = {(): overall}
    kept: list[tuple[float, Terms, int, float]] = []
    for size in range(1, MOST_TERMS + 1):
        for chosen in itertools.combinations(examples.columns, size):
            for places, n, rate in table.cells(chosen):
                names = (examples.columns[c].names[p] for c, p in zip(chosen, places, strict=True))
                terms = tuple(zip(chosen, names, strict=True))
                rates[terms] = rate
                low = wilson(rate * n, n).low
                parts = [terms[:i] + terms[i + 1 :] for i in range(size)]
                if low > max(rates.get(part, overall) for part in parts) and low > overall:
                    kept.append((n * (rate - overall), terms, n, rate))
    kept.sort(key=lambda one: (-one[0], one[1]))
    return [(terms, n, rate) for _, terms, n, rate in kept[:MOST_FOUND]]


@dataclass(frozen=True, kw_only=True)
class _Table:
    """Examples in which cells of columns are counted; without weights all weigh 1, err 0 or 1."""

    error: Numbers
    weight: Numbers | None
    least: int
    codes: Mapping[str, NDArray[np.int64]]
    sizes: Mapping[str, int]

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        return self.error > 0

    def cells(self, chosen: Sequence[str]) -> list[tuple[tuple[int, ...], int, float]]:
        """Return (places, n, error) of every cell with at least ``least`` examples."""
        sizes = [self.sizes[name] for name in chosen]
        packed = self.codes[chosen[0]]
        for name in chosen[1:]:
            packed = packed * self.sizes[name] + self.codes[name]
        total = math.prod(sizes)
        counts = np.bincount(packed, minlength=total)
        large = np.flatnonzero(counts >= self.least)
        if not len(large):
            return []
        if self.weight is None:
            mass: Numbers = counts[large].astype(np.float64)
            bad: Numbers = np.bincount(packed[self.wrong], minlength=total)[large].astype(
                np.float64
            )
        else:
            mass = np.bincount(packed, self.weight, total)[large].astype(np.float64)
            bad = np.bincount(packed, self.weight * self.error, total)[large].astype(np.float64)
        places = np.array(np.unravel_index(large, sizes)).T - 1
        return [
            (tuple(place), int(n), float(b / m))
            for place, n, b, m in zip(places.tolist(), counts[large], bad, mass, strict=True)
            if min(place) >= 0 and m > 0
        ]


def worse(
    examples: Examples, rows: NDArray[np.bool_], among: NDArray[np.bool_] | None = None
) -> float:
    """Return the one-sided p-value that a slice is no worse than the rest.

    Independent 0/1 errors of unit weight: exact, given how many errors there are (Fisher 1935).
    Otherwise the linearised difference of two means by group, t on groups − 1.
    """
    kept = np.full(len(rows), fill_value=True) if among is None else among
    inside, error, weight = rows[kept], examples.error[kept], examples.weight[kept]
    if not inside.any() or inside.all():
        return 1.0
    if examples.counted:
        wrong, n = int(error.sum()), len(error)
        tail = stats.hypergeom.sf(int(error[inside].sum()) - 1, n, wrong, int(inside.sum()))
        return float(tail)
    return _clustered(
        error, weight, inside, None if examples.group is None else examples.group[kept]
    )


def _clustered(
    error: Numbers,
    weight: Numbers,
    inside: NDArray[np.bool_],
    group: NDArray[np.generic] | None,
) -> float:
    share = [np.where(side, weight, 0.0) for side in (inside, ~inside)]
    means = [float((one * error).sum() / one.sum()) if one.sum() else 0.0 for one in share]
    if not all(one.sum() for one in share):
        return 1.0
    residual = share[0] * (error - means[0]) / share[0].sum()
    residual -= share[1] * (error - means[1]) / share[1].sum()
    if group is not None:
        residual = np.bincount(np.unique(group, return_inverse=True)[1], residual)
    groups = len(residual)
    spread = np.sqrt(groups / max(1, groups - 1) * float((residual**2).sum()))
    if groups < 2 or spread == 0:
        return 1.0
    return float(stats.t.sf((means[0] - means[1]) / spread, groups - 1))
