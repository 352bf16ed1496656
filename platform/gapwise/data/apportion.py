"""Sharing out a count over classes in proportion to their sizes (largest remainder)."""

from collections.abc import Mapping


def apportion(total: int, sizes: Mapping[str, int]) -> dict[str, int]:
    """Return a share of ``total`` for every stratum, in proportion to its size.

    The shares add up to ``total`` exactly, and none exceeds its stratum; each is its exact
    proportion rounded up or down (Hamilton's method). ``total`` is at most the sum of the sizes.
    """
    whole = sum(sizes.values())
    if not whole:
        return dict.fromkeys(sizes, 0)
    shares = {name: total * size // whole for name, size in sizes.items()}
    # Ties go by name, so that the same numbers always give the same shares.
    order = sorted(sizes, key=lambda name: (-(total * sizes[name] % whole), name))
    for name in order[: total - sum(shares.values())]:
        shares[name] += 1
    return shares
