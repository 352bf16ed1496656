"""Posterior draws: the Bayesian bootstrap is Jeffreys' Beta where that holds, wider where not."""

import numpy as np
import pytest
from scipy import stats

from gapwise.statistics.posterior import BLOCKS, DRAWS, bootstrap, jeffreys, seed_deviations


def draws(totals: np.ndarray, weights: np.ndarray, most: float | None = None) -> np.ndarray:
    return bootstrap(totals[:, None], weights, most, DRAWS, np.random.default_rng(0))[:, 0]


@pytest.mark.parametrize("wrong", [0, 3, 200, 400])
def test_bootstrap_of_independent_errors_is_jeffreys(wrong: int) -> None:
    errors = np.repeat([1.0, 0.0], [wrong, 400 - wrong])
    sampled = draws(errors, np.ones(400), 400.0)
    beta = stats.beta(wrong + 0.5, 400 - wrong + 0.5)
    for level in (0.025, 0.5, 0.975):
        assert np.quantile(sampled, level) == pytest.approx(beta.ppf(level), abs=0.004)


def test_jeffreys_quantiles() -> None:
    sampled = jeffreys(7, 50, DRAWS, np.random.default_rng(3))
    assert np.quantile(sampled, 0.975) == pytest.approx(stats.beta.ppf(0.975, 7.5, 43.5), abs=0.004)


def test_all_right_in_few_groups_is_no_certainty() -> None:
    """4 groups without an error: the true rate may still be high."""
    sampled = draws(np.zeros(4), np.full(4, 100.0), 400.0)
    assert np.quantile(sampled, 0.975) > 0.2


def test_one_group_is_one_observation() -> None:
    sampled = draws(np.array([2.0]), np.array([100.0]), 100.0)
    assert np.quantile(sampled, 0.975) - np.quantile(sampled, 0.025) > 0.8


def test_blocks_keep_the_spread() -> None:
    """More distinct groups than blocks: the standard error stays that of the groups."""
    generator = np.random.default_rng(5)
    weights = generator.exponential(size=8 * BLOCKS) + 0.5
    totals = weights * (generator.random(8 * BLOCKS) < 0.3)
    rate = totals.sum() / weights.sum()
    expected = np.sqrt(((totals - rate * weights) ** 2).sum()) / weights.sum()
    sampled = draws(totals, weights)
    assert sampled.std() == pytest.approx(expected, rel=0.08)
    assert sampled.mean() == pytest.approx(rate, abs=0.2 * expected)


def test_same_seed_same_draws() -> None:
    totals = np.random.default_rng(1).random(300)
    assert np.array_equal(draws(totals, np.ones(300)), draws(totals, np.ones(300)))


def test_seed_weights_are_centred_and_spread_as_students_t() -> None:
    deviations = seed_deviations(6, 200_000, np.random.default_rng(2))
    rates = np.array([0.1, 0.12, 0.09, 0.11, 0.13, 0.1])
    moved = deviations @ rates
    standard = rates.std(ddof=1) / np.sqrt(6)
    assert np.abs(deviations.sum(axis=1)).max() < 1e-12
    assert np.quantile(moved, 0.975) / standard == pytest.approx(stats.t.ppf(0.975, 5), rel=0.12)


def test_grouped_draws_cover() -> None:
    """25 groups of 20 with rates Beta(2, 8): 95 % intervals of the draws hold ≥ 92.5 %."""
    generator = np.random.default_rng(11)
    held, rounds = 0, 400
    for _ in range(rounds):
        totals = generator.binomial(20, generator.beta(2, 8, 25)).astype(float)
        sampled = bootstrap(totals[:, None], np.full(25, 20.0), 500.0, 2_000, generator)
        low, high = np.quantile(sampled, (0.025, 0.975))
        held += low <= 0.2 <= high
    assert held / rounds > 0.925
