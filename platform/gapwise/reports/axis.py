"""Round numbers to mark an axis with."""

import math
from typing import Final

_STEPS: Final = (1, 2, 5, 10)
MOST: Final = 6


def ticks(limit: float) -> list[float]:
    """Return multiples of 1, 2 or 5 × 10ᵏ from 0 to ``limit``, six at most beside 0."""
    power = 10.0 ** math.floor(math.log10(limit / MOST))
    step = next(s * power for s in _STEPS if limit / (s * power) <= MOST)
    return [step * place for place in range(int(limit / step + 1e-9) + 1)]


def percent(value: float, limit: float) -> str:
    """Return a mark of an axis that ends at ``limit``, both fractions of 1, in percent."""
    digits = max(0, -math.floor(math.log10(limit / MOST)) - 2)
    return f"{100 * value:.{digits}f} %"
