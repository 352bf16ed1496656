"""How many dev examples it takes: to tell two networks apart, or to know one error closely.

Miettinen (1968), "The matched pairs design in the case of all-or-none responses", Biometrics 24,
and Connor (1987), "Sample size for testing differences in proportions for the paired-sample
design", Biometrics 43, for McNemar's test; the exact power is summed here on top.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from gapwise.errors import UsageError, shown
from gapwise.statistics.intervals import wilson

ALPHA = 0.05
POWER = 0.80
MOST = 100_000_000
_EXACT = 20_000
_BIG_DATA = 200_000


@dataclass(frozen=True, kw_only=True)
class SizeAdvice:
    """How many dev examples tell a difference of ``difference`` apart.

    Attributes:
        n: dev examples, rounded up to two significant digits.
        difference: error(A) − error(B) that shall be found, as a fraction of 1.
        alpha: level of the two-sided exact McNemar test.
        power: probability of finding the difference at n.
        discordance: share of examples that just one of the two networks gets wrong.
        assumed: whether the discordance was assumed, as if the two erred independently.
    """

    n: int
    difference: float
    alpha: float
    power: float
    discordance: float
    assumed: bool

    @property
    def says(self) -> str:
        """The advice in one sentence."""
        origin = "assumed: as if they erred independently" if self.assumed else "given"
        return (
            f"{self.n:,} dev examples tell a difference of {100 * self.difference:g} points apart "
            f"with power {100 * self.power:.0f} % at α = {self.alpha:g}, when the two networks "
            f"differ in being right on {100 * self.discordance:.1f} % of the examples ({origin})."
        )


@dataclass(frozen=True, kw_only=True)
class StartingPoint:
    """A split by the notes' rules of thumb (3.1, 4.5); counts of examples."""

    name: str
    train: int
    dev: int
    test: int
    recommended: bool


def advise(
    difference: float,
    error: float,
    *,
    discordance: float | None = None,
    alpha: float = ALPHA,
    power: float = POWER,
) -> SizeAdvice:
    """Return how many dev examples find ``difference`` between two networks by exact McNemar.

    Args:
        difference: the difference of errors to be found, a fraction of 1.
        error: the error of the worse network.
        discordance: share of examples that just one of the two gets wrong; by default that of two
            networks that err independently, more than networks of one kind usually show.
        alpha: level of the two-sided test.
        power: probability of finding the difference.

    Raises:
        UsageError: a value is out of range, or the discordance is below the difference.
    """
    _check(difference, error, discordance, alpha, power)
    found = independent_discordance(error, difference) if discordance is None else discordance
    n = _by_formula(difference, found, alpha, power)
    if n <= _EXACT:
        n = _by_exact_power(n, difference, found, alpha, power)
    n = rounded_up(n)
    return SizeAdvice(
        n=n,
        difference=difference,
        alpha=alpha,
        power=power,
        discordance=found,
        assumed=discordance is None,
    )


def independent_discordance(error: float, difference: float) -> float:
    """Return the discordance of two networks with errors e and e − d that err independently."""
    other = error - difference
    return error * (1 - other) + other * (1 - error)


def mcnemar_power(n: int, difference: float, discordance: float, alpha: float = ALPHA) -> float:
    """Return the exact power of the two-sided exact McNemar test on ``n`` examples."""
    share = (discordance + difference) / (2 * discordance)
    spread = 7 * math.sqrt(n * discordance) + 10
    low, high = max(0, int(n * discordance - spread)), min(n, int(n * discordance + spread))
    discordant = np.arange(low, high + 1)
    critical = np.asarray(stats.binom.ppf(alpha / 2, discordant, 0.5), np.float64)
    over = stats.binom.cdf(critical, discordant, 0.5) > alpha / 2
    critical = np.asarray(critical - over, np.float64)
    rejects = stats.binom.cdf(critical, discordant, share) + stats.binom.sf(
        discordant - critical - 1, discordant, share
    )
    return float((stats.binom.pmf(discordant, n, discordance) * rejects).sum())


def half_width(error: float, n: int) -> float:
    """Return half the width of Wilson's 95 % interval that ``n`` examples buy."""
    interval = wilson(error * n, n)
    return (interval.high - interval.low) / 2


def size_for_half_width(error: float, half: float) -> int:
    """Return the fewest examples whose 95 % interval is ``error`` ± ``half`` or closer."""
    low, high = 0, 1
    while half_width(error, high) > half and high < MOST:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half_width(error, middle) <= half else (middle, high)
    return high


def starting_points(n: int) -> tuple[StartingPoint, ...]:
    """Return the notes' 70/30, 60/20/20 and 98/1/1 for ``n`` examples, the fitting one marked.

    98/1/1 fits where one hundredth is 2,000 examples or more; 70/30 keeps no dev set, so nothing
    can be chosen on it, and is never the one marked.
    """
    shares = {"70/30": (0.0, 0.3), "60/20/20": (0.2, 0.2), "98/1/1": (0.01, 0.01)}
    fitting = "98/1/1" if n >= _BIG_DATA else "60/20/20"
    points = []
    for name, (dev_share, test_share) in shares.items():
        dev, test = round(dev_share * n), round(test_share * n)
        points.append(
            StartingPoint(
                name=name, train=n - dev - test, dev=dev, test=test, recommended=name == fitting
            )
        )
    return tuple(points)


def rounded_up(size: float) -> int:
    """Return ``size`` rounded up to two significant digits."""
    unit = 10 ** max(0, math.floor(math.log10(size)) - 1)
    return int(math.ceil(size / unit) * unit)


def _by_formula(difference: float, discordance: float, alpha: float, power: float) -> int:
    level, reach = float(special.ndtri(1 - alpha / 2)), float(special.ndtri(power))
    root = level * math.sqrt(discordance) + reach * math.sqrt(discordance - difference**2)
    return math.ceil((root / difference) ** 2)


def _by_exact_power(
    start: int, difference: float, discordance: float, alpha: float, power: float
) -> int:
    """The exact test needs somewhat more than the formula gives; its power moves in saw teeth."""
    n = max(start, 6)
    while mcnemar_power(n, difference, discordance, alpha) < power:
        n = max(n + 1, int(n * 1.02))
    return n


def _check(
    difference: float, error: float, discordance: float | None, alpha: float, power: float
) -> None:
    if not 0 < difference <= error <= 1:
        raise UsageError(
            f"a difference of {shown(difference)} cannot be found below an error of "
            f"{shown(error)}; take 0 < difference ≤ error ≤ 1"
        )
    if not (0 < alpha < 1 and 0 < power < 1):
        raise UsageError(
            f"α is {shown(alpha)} and power is {shown(power)}; both lie between 0 and 1"
        )
    if discordance is not None and not difference <= discordance <= 1:
        raise UsageError(
            f"a discordance of {shown(discordance)} is below the difference {shown(difference)} "
            "or above 1; it is at least the difference"
        )
