"""What more data would give: a fitted learning curve read beyond the largest size measured.

Errors hold the sampling of today's dev set, which moves the whole curve up or down; gains hold only
the part of it that does not cancel between two sizes judged on the same examples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.words import percent, points
from gapwise.statistics.intervals import CONFIDENCE
from gapwise.statistics.power_laws import CurveDraws

Draws = NDArray[np.float64]

WIDEST = 1.0
"""An interval wider than this many times the error today tells nothing."""

DISAGREE = 0.5
"""Families whose forecasts lie further apart than this share of the error today disagree."""

COUNTS = 0.05
"""Posterior probability from which on a family's own forecast is heard."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What ``factor`` times the data would give; all None but ``abstains`` where nothing is said.

    Attributes:
        error, low, high: dev error.
        gain, gain_low, gain_high: dev error at the largest size less that.
        gap, gap_low, gap_high: dev error less train error; ``gap_now`` is that of today.
        abstains: why nothing is said; "" where something is.
    """

    factor: float
    size: int
    error: float | None = None
    low: float | None = None
    high: float | None = None
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    gap_now: float | None = None
    gap: float | None = None
    gap_low: float | None = None
    gap_high: float | None = None
    abstains: str = ""


def forecast(
    fitted: CurveDraws,
    train: CurveDraws | float,
    factor: float,
    n_dev: float,
    generator: np.random.Generator,
    confidence: float = CONFIDENCE,
) -> Forecast:
    """Return what ``factor`` times the largest size would give.

    Args:
        fitted: the curve of the dev error.
        train: that of the train error, or a train error that stays.
        factor: above 1.
        n_dev: dev examples that today's error stands on.
        generator: source of the draws.
        confidence: of the intervals.
    """
    size = factor * fitted.largest
    now, then = fitted.at(fitted.largest), fitted.at(size)
    error, low, high = spread(sampled(then, n_dev, generator), confidence)
    today = float(np.median(now))
    reason = _unsure(fitted, size, today, high - low)
    if reason:
        return Forecast(factor=factor, size=round(size), abstains=reason)
    flips = np.sqrt(np.abs(now - then) / n_dev)
    gains = spread(now - then + flips * generator.standard_normal(len(now)), confidence)
    learned = [_of_train(train, n, len(now)) for n in (fitted.largest, size)]
    gap = spread(then - learned[1], confidence)
    return Forecast(
        factor=factor,
        size=round(size),
        error=error,
        low=low,
        high=high,
        gain=gains[0],
        gain_low=gains[1],
        gain_high=gains[2],
        gap_now=float(np.median(now - learned[0])),
        gap=gap[0],
        gap_low=gap[1],
        gap_high=gap[2],
    )


def _of_train(train: CurveDraws | float, size: float, draws: int) -> Draws:
    """Return (draws,) train errors at ``size``, drawn apart from the dev errors."""
    return np.full(draws, train) if isinstance(train, float) else np.resize(train.at(size), draws)


def sampled(rates: Draws, n: float, generator: np.random.Generator) -> Draws:
    """Add what today's dev examples, another sample, would have shown."""
    noise = np.sqrt(rates * (1 - rates) / n) * generator.standard_normal(len(rates))
    return np.asarray(np.clip(rates + noise, 0.0, 1.0), np.float64)


def spread(draws: Draws, confidence: float) -> tuple[float, float, float]:
    """Return median, low and high."""
    half = confidence / 2
    middle, low, high = np.quantile(draws, [0.5, 0.5 - half, 0.5 + half])
    return float(middle), float(low), float(high)


def _unsure(fitted: CurveDraws, size: float, today: float, width: float) -> str:
    """Return why nothing is said of ``size``, "" where something is."""
    then = fitted.at(size)
    shares = fitted.shares()
    heard = [name for name, share in shares.items() if share >= COUNTS]
    middles = [float(np.median(then[fitted.of_family(name)])) for name in heard]
    apart = max(middles) - min(middles)
    if apart > DISAGREE * today:
        return (
            f"laws that fit alike disagree at {size:,.0f} examples, from {percent(min(middles))} "
            f"to {percent(max(middles))}"
        )
    if width > WIDEST * today:
        return (
            f"at {size:,.0f} examples the interval is {points(width)} wide, wider than the error "
            f"of today, {percent(today)}; more seeds or a larger dev set narrow it"
        )
    return ""
