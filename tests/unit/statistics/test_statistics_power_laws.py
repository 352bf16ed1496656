"""Families of learning curves: known curves come back, and their intervals hold the truth."""

from itertools import pairwise

import numpy as np
import pytest

from gapwise.statistics.power_laws import FAMILIES, SizePoints, fit
from gapwise.statistics.seed_noise import standard_errors

SIZES = np.array([50.0, 100, 200, 400, 800, 1600])


def power(sizes: np.ndarray, level: float, height: float, exponent: float) -> np.ndarray:
    return level + height * sizes**-exponent


def test_a_clean_power_law_is_forecast_closely() -> None:
    errors = power(SIZES, 0.05, 3.0, 0.6)
    fitted = fit(SizePoints(SIZES, errors, np.full(6, 1e-4)), np.random.default_rng(0))
    assert fitted is not None
    for size in (3200, 6400):
        truth = power(np.array(size), 0.05, 3.0, 0.6)
        assert np.median(fitted.at(size)) == pytest.approx(truth, rel=0.06)
    assert np.median(fitted.at(50)) == pytest.approx(errors[0], rel=0.05)


def test_every_family_falls_and_is_one_at_the_largest_size() -> None:
    ratios = np.array([[0.01], [0.1], [1.0], [4.0], [100.0]])
    parameter = np.array([[0.5]])
    for name, family in FAMILIES.items():
        values = family.shape(ratios, parameter, parameter)[:, 0]
        assert values[2] == pytest.approx(1.0), name
        assert all(a > b >= 0 for a, b in pairwise(values)), name


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Power laws from a wide range, with noise as stated: the 90 % interval at 4 × the data."""
    generator = np.random.default_rng(1)
    held = 0
    for number in range(120):
        exponent, level = generator.uniform(0.3, 1.2), generator.uniform(0, 0.1)
        truth = power(SIZES, level, 0.2 * 1600**exponent, exponent)
        noise = 0.05 * truth
        seen = SizePoints(SIZES, truth + noise * generator.standard_normal(6), noise)
        fitted = fit(seen, np.random.default_rng(number))
        assert fitted is not None
        low, high = np.quantile(fitted.at(6400), [0.05, 0.95])
        held += low <= power(np.array(6400), level, 0.2 * 1600**exponent, exponent) <= high
    assert held / 120 >= 0.85


def test_intervals_widen_with_the_distance() -> None:
    errors = power(SIZES, 0.02, 2.0, 0.5)
    fitted = fit(SizePoints(SIZES, errors, 0.03 * errors), np.random.default_rng(0))
    assert fitted is not None
    relative = [np.diff(np.quantile(d, [0.05, 0.95]))[0] / np.median(d)
                for d in map(fitted.at, (1600, 3200, 16000))]  # fmt: skip
    assert relative[0] < relative[1] < relative[2]


def test_a_train_error_that_rises_is_fitted_rising() -> None:
    errors = 0.2 - 0.2 * (SIZES / 50) ** -0.7
    fitted = fit(
        SizePoints(SIZES, errors, np.full(6, 0.002)), np.random.default_rng(0), rising=True
    )
    assert fitted is not None
    assert np.median(fitted.at(1600)) < np.median(fitted.at(3200)) < 0.25


def test_the_same_seed_gives_the_same_draws() -> None:
    points = SizePoints(SIZES, power(SIZES, 0.05, 3.0, 0.6), np.full(6, 0.01))
    first, second = (fit(points, np.random.default_rng(4)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert np.array_equal(first.at(5000), second.at(5000))
    assert sum(first.shares().values()) == pytest.approx(1.0)


def test_standard_errors_by_hand() -> None:
    """One size, two seeds 0.1 and 0.2 on 99 examples.

    Smoothed (0.15 × 99 + 0.5) / 100 = 0.1535, binomial 0.1535 × 0.8465 / 99 = 0.0013125; own 0.005;
    ratio (2 × 0.5 + 0.005 / 0.0013125) / 3 = 1.60317; variance
    (4 × 1.60317 × 0.0013125 + 0.005) / 5 = 0.0026834; of a mean of two, half of it.
    """
    means, deviations = standard_errors([np.array([0.1, 0.2])], 99)
    assert means[0] == pytest.approx(0.15)
    assert deviations[0] == pytest.approx((0.0026834 / 2) ** 0.5, rel=1e-3)


def test_no_noise_is_never_certainty() -> None:
    """One seed, or an error of 0, has a deviation all the same."""
    _, deviations = standard_errors([np.array([0.0]), np.array([0.0, 0.0]), np.array([1.0])], 50)
    assert (deviations > 0).all()


def test_more_seeds_and_more_examples_tell_more() -> None:
    few = standard_errors([np.array([0.10, 0.12])], 200)[1][0]
    more = standard_errors([np.array([0.10, 0.12] * 4)], 200)[1][0]
    larger = standard_errors([np.array([0.11])], 20_000)[1][0]
    assert more < few
    assert larger < standard_errors([np.array([0.11])], 200)[1][0]
