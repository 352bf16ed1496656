"""Error by metadata, and the slices where a network is weak (notes 4.10, 4.14, 4.15).

Weak slices are conjunctions of up to three columns. They are *discovered* on the eyeball half of
the split and *confirmed* on the black-box half, which nobody looked at (notes 4.10), so that
choosing among thousands of slices does not fool anybody; p-values are controlled after Benjamini
and Yekutieli (2001), since slices overlap. The search is that of Slice Finder (Chung et al. 2019):
a larger conjunction counts only where it is worse than each of its parts.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from gapwise.diagnostics.errors_by_split import Columns, SplitErrors, summarise
from gapwise.errors import DataError, did_you_mean, shown
from gapwise.statistics.intervals import wilson

LEVEL = 0.05
MOST_TERMS = 3
MOST_VALUES = 50
MOST_FOUND = 20
BINS = 8
LEAST_EXAMPLES = 30
LEAST_SHARE = 0.005

Numbers = NDArray[np.float64]
Terms = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Coded:
    """A column as codes: position in ``names``, −1 for values that are too rare to search."""

    names: tuple[str, ...]
    codes: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A part of a split; intervals are 95 %.

    Attributes:
        terms: (column, value) pairs that all hold.
        n, error, low, high: of the examples that it was judged on: the black-box half for a slice
            that was found, all examples for one that was named or is a single value.
        rest: error of the other examples; None where there are none.
        p_value: that the slice is no worse than the rest, after Benjamini and Yekutieli; None where
            that was not asked.
        confirmed: whether it is at 5 %.
        seen_n, seen_error: on the eyeball half, where it was found.
    """

    terms: Terms
    n: int
    error: float | None
    low: float | None = None
    high: float | None = None
    rest: float | None = None
    p_value: float | None = None
    confirmed: bool | None = None
    seen_n: int | None = None
    seen_error: float | None = None

    @property
    def name(self) -> str:
        """As it is written: ``source=phone & blur=high``."""
        return " & ".join(f"{column}={value}" for column, value in self.terms)


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


def coded(values: NDArray[np.generic]) -> Coded | None:
    """Return a column as codes; numbers are cut into eighths. None for one that tells nothing.

    A column of a single value, or of about as many values as examples (ids), tells nothing.
    """
    values = np.asarray(values)
    if (
        values.dtype.kind in "iuf"
        and len(pd.unique(values[~np.isnan(values.astype(float))])) > BINS
    ):
        return _binned(values.astype(np.float64))
    text = values.astype(str)
    codes, keys = pd.factorize(_keys(text))
    if len(keys) < 2 or len(keys) > max(MOST_VALUES, len(text) // 2):
        return None
    first = np.full(len(keys), len(text))
    np.minimum.at(first, codes, np.arange(len(text)))
    order = np.argsort(text[first], kind="stable")
    names, codes = text[first][order], np.argsort(order)[codes]
    counts = np.bincount(codes, minlength=len(names))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
    place = np.full(len(names), -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    return Coded(names=tuple(str(names[i]) for i in kept), codes=place[codes])


def by_value(examples: Examples) -> dict[str, tuple[Slice, ...]]:
    """Return the error of every value of every column, the highest first; all examples count."""
    found = {}
    for column, one in examples.columns.items():
        if examples.counted:
            slices = _counted(examples.error, column, one)
        else:
            slices = [
                _judged(examples, ((column, name),), one.codes == code)
                for code, name in enumerate(one.names)
            ]
        found[column] = tuple(sorted(slices, key=lambda s: (-(s.error or 0.0), s.name)))
    return found


def named(examples: Examples, texts: Sequence[str]) -> tuple[Slice, ...]:
    """Return slices that were named beforehand, ``COLUMN=VALUE & …``, each against the rest.

    Raises:
        DataError: a slice cannot be read, or there is no such column or value.
    """
    slices = []
    for text in texts:
        terms = _parse(text, examples.columns)
        rows = _rows(examples, terms)
        slices.append((_judged(examples, terms, rows), _worse(examples, rows)))
    return _controlled(slices)


def weak(examples: Examples) -> tuple[Slice, ...]:
    """Return the slices that were found on the eyeball half, confirmed or not on the other."""
    eyeball = halves(examples)
    found = _discovered(examples, eyeball)
    slices = []
    for terms, n, error in found:
        rows = _rows(examples, terms)
        judged = _judged(examples, terms, rows & ~eyeball, among=~eyeball)
        seen = Slice(**{**vars(judged), "seen_n": n, "seen_error": error})
        slices.append((seen, _worse(examples, rows, among=~eyeball)))
    controlled = _controlled(slices)
    return tuple(sorted(controlled, key=lambda s: (not s.confirmed, s.p_value or 0.0, s.name)))


def halves(examples: Examples) -> NDArray[np.bool_]:
    """Return (n,) who is in the eyeball half: by a hash of the group, or of the id."""
    who = examples.example_id if examples.group is None else examples.group
    mixed = _keys(np.asarray(who).astype(str))
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    bits: NDArray[np.bool_] = ((mixed >> np.uint64(63)) & np.uint64(1)).astype(bool)
    return bits


def _keys(text: NDArray[np.str_]) -> NDArray[np.uint64]:
    """Return (n,) a 64-bit hash of each text (FNV-1a over its characters), whatever its width."""
    width = max(1, text.dtype.itemsize // 4)
    letters = np.ascontiguousarray(text).view(np.uint32).reshape(len(text), width)
    hashed = np.full(len(text), 0xCBF29CE484222325, np.uint64)
    for place in range(width):
        letter = letters[:, place].astype(np.uint64)
        if not letter.any():  # texts are padded at their ends: nothing follows
            break
        mixed = (hashed ^ letter) * np.uint64(0x100000001B3)
        hashed = np.where(letter > 0, mixed, hashed)  # what is shorter is padded with 0
    return hashed


def _discovered(examples: Examples, eyeball: NDArray[np.bool_]) -> list[tuple[Terms, int, float]]:
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


def _counted(error: Numbers, column: str, one: Coded) -> list[Slice]:
    """Return the error of every value of a column by counting."""
    wrong = error > 0
    size = len(one.names)
    counts = np.bincount(one.codes + 1, minlength=size + 1)[1:]
    bad = np.bincount(one.codes[wrong] + 1, minlength=size + 1)[1:]
    total, n = int(wrong.sum()), len(error)
    slices = []
    for name, count, errors in zip(one.names, counts.tolist(), bad.tolist(), strict=True):
        ends = wilson(errors, count) if count else None
        slices.append(
            Slice(
                terms=((column, name),),
                n=count,
                error=errors / count if count else None,
                low=ends.low if ends else None,
                high=ends.high if ends else None,
                rest=(total - errors) / (n - count) if n > count else None,
            )
        )
    return slices


def _judged(
    examples: Examples,
    terms: Terms,
    rows: NDArray[np.bool_],
    among: NDArray[np.bool_] | None = None,
) -> Slice:
    inside = examples.part(rows)
    outside = examples.part(~rows if among is None else among & ~rows)
    interval = inside.interval if inside else None
    return Slice(
        terms=terms,
        n=int(rows.sum()),
        error=inside.rate if inside else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        rest=outside.rate if outside else None,
    )


def _worse(
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


def _controlled(slices: Sequence[tuple[Slice, float]]) -> tuple[Slice, ...]:
    """Return the slices with p-values after Benjamini and Yekutieli."""
    if not slices:
        return ()
    adjusted = stats.false_discovery_control([p for _, p in slices], method="by")
    return tuple(
        Slice(**{**vars(one), "p_value": float(p), "confirmed": bool(p <= LEVEL)})
        for (one, _), p in zip(slices, adjusted, strict=True)
    )


def _rows(examples: Examples, terms: Terms) -> NDArray[np.bool_]:
    rows = np.full(len(examples.error), fill_value=True)
    for column, value in terms:
        one = examples.columns[column]
        rows &= one.codes == one.names.index(value)
    return rows


def _parse(text: str, columns: Mapping[str, Coded]) -> Terms:
    terms = []
    for part in text.split("&"):
        column, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not column or not value:
            raise DataError(
                f"slice {shown(text)!r} cannot be read; write COLUMN=VALUE, several joined by &"
            )
        if column not in columns:
            raise DataError(
                f"there is no column {shown(column)!r} to slice by; "
                f"{did_you_mean(column, list(columns))}"
            )
        if value not in columns[column].names:
            raise DataError(
                f"column {column} has no value {shown(value)!r}; "
                f"{did_you_mean(value, list(columns[column].names))}"
            )
        terms.append((column, value))
    return tuple(terms)


def _binned(values: Numbers) -> Coded | None:
    known = np.isfinite(values)
    if not known.any():
        return None
    cuts = np.unique(np.quantile(values[known], np.linspace(0, 1, BINS + 1)[1:-1]))
    codes = np.where(known, np.searchsorted(cuts, values, side="left"), -1).astype(np.int32)
    ends = [f"{cut:.3g}" for cut in cuts]
    names = [f"up to {ends[0]}"]
    names += [f"{low} to {high}" for low, high in itertools.pairwise(ends)]
    return Coded(names=(*names, f"over {ends[-1]}"), codes=codes)
