"""Would more data help? Error by size of the training set, and what it will be with more of it.

The curve is an average of families (``statistics.power_laws``). Its draws hold the noise of seeds
and subsets, which family and which member it is, and a drift that grows with each doubling beyond
the data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics import curve_trust
from gapwise.diagnostics.forecast import Forecast, forecast, sampled, spread
from gapwise.diagnostics.words import percent, points, span
from gapwise.statistics import power_laws
from gapwise.statistics.intervals import CONFIDENCE, wilson
from gapwise.statistics.power_laws import CurveDraws, SizePoints
from gapwise.statistics.seed_noise import standard_errors

Line = tuple[tuple[float, float, float, float], ...]

FACTORS = (2.0, 10.0)
STEPS = 48
"""Sizes that the fitted curve is drawn at."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Errors of several sizes: of each size, one error a seed.

    Attributes:
        sizes: examples trained on, rising.
        dev, train: of each size, the error of every seed, as fractions of 1.
        n_dev: dev examples that an error stands on; grouped or weighted ones by the number of
            independent examples that would tell as much.
    """

    sizes: tuple[int, ...]
    dev: tuple[tuple[float, ...], ...]
    train: tuple[tuple[float, ...], ...]
    n_dev: float


@dataclass(frozen=True, kw_only=True)
class Point:
    """One size as measured; intervals are 95 %, of other seeds, subsets and dev examples."""

    size: int
    seeds: int
    dev_error: float
    dev_low: float
    dev_high: float
    train_error: float


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """A curve, its forecasts and the answer in one sentence.

    Attributes:
        points: as measured.
        line: the fitted curve as (size, error, low, high), from the smallest size to the last
            forecast; empty where there is none.
        forecasts: one a factor.
        families: family → its posterior probability.
        abstains: why there is no forecast at all; "" where there is one.
        says: the answer.
    """

    points: tuple[Point, ...]
    n_dev: float
    forecasts: tuple[Forecast, ...]
    says: str
    abstains: str = ""
    line: Line = ()
    families: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def learning_curve(
    measured: Measured, *, factors: Sequence[float] = FACTORS, delta: float = 0.01, seed: int = 0
) -> LearningCurve:
    """Fit ``measured`` and forecast the dev error at each of ``factors`` times the largest size.

    Args:
        measured: errors of at least one size.
        factors: each above 1.
        delta: a gain below this is little.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    dev = _points(measured, measured.dev, measured.n_dev)
    seen = tuple(_point(measured, dev, place) for place in range(len(measured.sizes)))
    today = float(dev.sizes[-1])
    reason = curve_trust.against(dev)
    fitted = None if reason else power_laws.fit(dev, generator)
    reason = reason or curve_trust.against_fit(fitted)
    if reason or fitted is None:
        nothing = [Forecast(factor=f, size=round(f * today), abstains=reason) for f in factors]
        return LearningCurve(
            points=seen,
            n_dev=measured.n_dev,
            forecasts=tuple(nothing),
            abstains=reason,
            says=f"No forecast: {reason}.",
        )
    train = _train(measured, generator)
    found = [forecast(fitted, train, factor, measured.n_dev, generator) for factor in factors]
    sizes = np.geomspace(dev.sizes[0], max(factors) * today, STEPS)
    return LearningCurve(
        points=seen,
        n_dev=measured.n_dev,
        line=_line(fitted, sizes, measured.n_dev, seed),
        forecasts=tuple(found),
        families=fitted.shares(),
        says=_answer(found[0], float(np.median(fitted.at(today))), delta),
    )


def _points(
    measured: Measured, errors: Sequence[Sequence[float]], n: float | NDArray[np.float64]
) -> SizePoints:
    means, deviations = standard_errors([np.array(e) for e in errors], n)
    return SizePoints(np.array(measured.sizes, np.float64), means, deviations)


def _train(measured: Measured, generator: np.random.Generator) -> CurveDraws | float:
    """Fit the train error, which rises with more data, or falls where too few steps were made.

    Where it is 0 at every size, or no law fits, it is taken to stay as it is at the largest.
    """
    sizes = np.array(measured.sizes, np.float64)
    train = _points(measured, measured.train, sizes)
    rising = bool(train.errors[-1] >= train.errors[0])
    fitted = power_laws.fit(train, generator, rising=rising) if train.errors.any() else None
    return float(train.errors[-1]) if fitted is None else fitted


def _line(fitted: CurveDraws, sizes: NDArray[np.float64], n_dev: float, seed: int) -> Line:
    """Return the curve at ``sizes``; one sample of dev examples for all of it keeps it smooth."""
    rows = [
        spread(sampled(fitted.at(n), n_dev, np.random.default_rng(seed)), CONFIDENCE) for n in sizes
    ]
    return tuple((float(n), *row) for n, row in zip(sizes, rows, strict=True))


def _point(measured: Measured, dev: SizePoints, place: int) -> Point:
    error, deviation = float(dev.errors[place]), float(dev.deviations[place])
    spread = error * (1 - error)
    n = spread / (spread / measured.n_dev + deviation**2) if spread else measured.n_dev
    inside = wilson(error * n, n)
    return Point(
        size=measured.sizes[place],
        seeds=len(measured.dev[place]),
        dev_error=error,
        dev_low=inside.low,
        dev_high=inside.high,
        train_error=float(np.mean(measured.train[place])),
    )


def _answer(found: Forecast, today: float, delta: float) -> str:
    times = "Twice" if found.factor == 2 else f"{found.factor:g} times"
    if found.gain is None or found.gain_low is None or found.gain_high is None:
        return f"No forecast for {times.lower()} the training data: {found.abstains}."
    if found.gain_high < delta:
        head = "More data would help little"
    elif found.gain_low > 0:
        head = "More data would help"
    else:
        head = "More data may help"
    if found.error is None or found.gap is None or found.gap_now is None:
        return f"{head}."
    gain = f"{points(found.gain)}{span(found.gain_low, found.gain_high)}"
    return (
        f"{head}: {times.lower()} the training data ({found.size:,} examples) would take the dev "
        f"error from {percent(today)} (as fitted) to "
        f"{percent(found.error)}{span(found.low, found.high)}, a gain of {gain}, and the step from "
        f"train to dev from {points(found.gap_now)} to {points(found.gap)}."
    )
