"""Error by metadata, and the slices where a network is weak (notes 4.10, 4.14, 4.15).

Weak slices are conjunctions of up to three columns. They are *discovered* on the eyeball half of
the split and *confirmed* on the black-box half, which nobody looked at (notes 4.10), so that
choosing among thousands of slices does not fool anybody; p-values are controlled after Benjamini
and Yekutieli (2001), since slices overlap. The search is that of Slice Finder (Chung et al. 2019):
a larger conjunction counts only where it is worse than each of its parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gapwise.diagnostics.slice_columns import Coded, Numbers
from gapwise.diagnostics.slice_search import Examples, Terms, discovered, halves, worse
from gapwise.errors import DataError, did_you_mean, shown
from gapwise.statistics.intervals import wilson

LEVEL = 0.05


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
        slices.append((_judged(examples, terms, rows), worse(examples, rows)))
    return _controlled(slices)


def members(examples: Examples, text: str) -> NDArray[np.bool_]:
    """Return (n,) who is in a slice, ``COLUMN=VALUE`` or several of them joined by ``&``.

    Raises:
        DataError: it cannot be read, or there is no such column or value.
    """
    return _rows(examples, _parse(text, examples.columns))


def weak(examples: Examples) -> tuple[Slice, ...]:
    """Return the slices that were found on the eyeball half, confirmed or not on the other."""
    eyeball = halves(examples)
    found = discovered(examples, eyeball)
    slices = []
    for terms, n, error in found:
        rows = _rows(examples, terms)
        judged = _judged(examples, terms, rows & ~eyeball, among=~eyeball)
        seen = Slice(**{**vars(judged), "seen_n": n, "seen_error": error})
        slices.append((seen, worse(examples, rows, among=~eyeball)))
    controlled = _controlled(slices)
    return tuple(sorted(controlled, key=lambda s: (not s.confirmed, s.p_value or 0.0, s.name)))


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
