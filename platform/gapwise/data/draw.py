"""Drawing parts out of a pool by thresholds on a keyed hash.

Every unit (an example, or a group of them) has a number in [0, 1). A part takes an interval of it:
a share takes an interval of that width, a count the interval that holds exactly that many. Where
an interval is known (a share, or a saved cut), data that is added later moves nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.data.apportion import apportion

ANY = "*"
"""The stratum of a pool that is not stratified, and of a class that the cuts do not know."""


BETWEEN = " / "
"""Stands between source and class in a stratum's name."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The units that parts are drawn from, all arrays of one length.

    Attributes:
        hashes: (units,) in [0, 1).
        sizes: (units,) examples in each unit.
        strata: (units,) str, ``source/class`` or ``ANY``.
    """

    hashes: NDArray[np.float64]
    sizes: NDArray[np.int64]
    strata: NDArray[np.str_]

    @property
    def examples(self) -> int:
        """How many examples the pool holds."""
        return int(self.sizes.sum())

    def within(self, stratum: str) -> NDArray[np.int64]:
        """Return the positions of a stratum's units by ascending hash."""
        rows = np.flatnonzero(self.strata == stratum)
        return rows[np.argsort(self.hashes[rows], kind="stable")]


Bounds = dict[str, float]
"""Stratum → upper bound of the hash; ``ANY`` holds for a stratum that is not named."""


def upper_bounds(
    pool: Pool, amount: int | float, lower: Bounds, saved: Mapping[str, float] | None
) -> Bounds:
    """Return where the part that begins at ``lower`` ends in every stratum.

    Args:
        pool: who can be drawn.
        amount: a count of examples (int), or a share of the pool (float).
        lower: where the part before it ended.
        saved: the bounds of a saved draw, which then decide alone.
    """
    names = [str(name) for name in np.unique(pool.strata)]
    if saved is not None:
        return {ANY: 1.0, **saved}
    if isinstance(amount, float):
        return {name: min(1.0, bound_of(lower, name) + amount) for name in {*names, ANY}}
    free = {name: _free(pool, name, lower) for name in names}
    shares = _shares(amount, {name: int(pool.sizes[rows].sum()) for name, rows in free.items()})
    bounds = {name: _bound(pool, free[name], shares[name], lower, name) for name in names}
    # A class that only comes later is drawn at the pool's own rate.
    rate = amount / max(1, pool.examples)
    return {ANY: min(1.0, bound_of(lower, ANY) + rate), **bounds}


def bound_of(bounds: Mapping[str, float], stratum: str) -> float:
    """Return a stratum's bound, else that of strata that are not named."""
    return bounds.get(stratum, bounds.get(ANY, 0.0))


def members(pool: Pool, lower: Bounds, upper: Bounds) -> NDArray[np.bool_]:
    """Return which units lie in [lower, upper) of their stratum: (units,) bool."""
    names, inverse = np.unique(pool.strata, return_inverse=True)
    low = np.array([bound_of(lower, str(name)) for name in names])[inverse]
    high = np.array([bound_of(upper, str(name)) for name in names])[inverse]
    inside: NDArray[np.bool_] = (pool.hashes >= low) & (pool.hashes < high)
    return inside


def _free(pool: Pool, stratum: str, lower: Bounds) -> NDArray[np.int64]:
    rows = pool.within(stratum)
    return rows[pool.hashes[rows] >= bound_of(lower, stratum)]


def _shares(total: int, sizes: Mapping[str, int]) -> dict[str, int]:
    """Share a count out, first over sources and then over the classes of each."""
    by_source: dict[str, dict[str, int]] = {}
    for name, size in sizes.items():
        by_source.setdefault(name.partition(BETWEEN)[0], {})[name] = size
    sources = {source: sum(parts.values()) for source, parts in by_source.items()}
    shares: dict[str, int] = {}
    for source, share in apportion(min(total, sum(sources.values())), sources).items():
        shares |= apportion(share, by_source[source])
    return shares


def _bound(pool: Pool, rows: NDArray[np.int64], count: int, lower: Bounds, stratum: str) -> float:
    """Return the bound below which ``rows`` (by hash) hold ``count`` examples, or nearly so."""
    start = bound_of(lower, stratum)
    if count == 0:
        return start
    running = np.cumsum(pool.sizes[rows])
    # Units are whole: with groups, the number of them that comes nearest to the count.
    taken = 1 + int(np.argmin(np.abs(running - count)))
    last = pool.hashes[rows[taken - 1]]
    following = pool.hashes[rows[taken]] if taken < len(rows) else 1.0
    return float((last + following) / 2)
