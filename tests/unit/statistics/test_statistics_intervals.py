"""Intervals of one error rate: equal to others' where they exist, and covering what they claim."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from gapwise.statistics.intervals import Clusters, clustered, effective_size, score, wilson


@pytest.mark.parametrize(("wrong", "n"), [(0, 1), (1, 1), (0, 30), (3, 30), (15, 250), (400, 400)])
def test_wilson_equals_scipy_and_statsmodels(wrong: int, n: int) -> None:
    ours = wilson(wrong, n)
    theirs = stats.binomtest(wrong, n).proportion_ci(method="wilson")
    low, high = proportion_confint(wrong, n, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-12)


def test_wilson_takes_a_count_that_is_not_whole() -> None:
    between = wilson(2.5, 100)
    assert wilson(2, 100).low < between.low < wilson(3, 100).low


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_rate_and_is_never_a_point(counts: tuple[int, int]) -> None:
    wrong, n = counts
    interval = wilson(wrong, n)
    assert 0 <= interval.low <= wrong / n <= interval.high <= 1
    assert interval.high - interval.low > 0


def test_a_group_of_one_each_is_wilson_with_t() -> None:
    errors = np.repeat([0.0, 1.0], [190, 10])
    interval = clustered(Clusters(errors, np.ones(200), 200.0))
    quantile = float(stats.t.ppf(0.975, 199))
    assert interval is not None
    assert interval.low == pytest.approx(score(0.05, 199, quantile).low, rel=1e-3)


def test_identical_examples_in_a_group_count_once() -> None:
    """30 groups of 10 copies tell as much as 30 examples (design effect 10)."""
    errors = np.repeat([0.0, 1.0], [24, 6])
    copies = Clusters(10 * errors, np.full(30, 10.0), 300.0)
    assert effective_size(copies) == pytest.approx(29, rel=1e-9)
    assert effective_size(Clusters(errors, np.ones(30), 30.0)) == pytest.approx(29, rel=1e-9)


def test_one_group_has_no_interval() -> None:
    assert clustered(Clusters(np.array([3.0]), np.array([10.0]), 10.0)) is None


@pytest.mark.parametrize("error", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("groups", [2, 5, 200])
def test_equal_groups_never_give_a_point(error: float, groups: int) -> None:
    weights = np.linspace(1, 2, groups)
    interval = clustered(Clusters(error * weights, weights, None))
    assert interval is not None
    assert interval.low <= error + 1e-12
    assert interval.high >= error - 1e-12
    assert interval.high - interval.low > 0.005


def test_weights_widen() -> None:
    generator = np.random.default_rng(1)
    errors = (generator.random(400) < 0.2).astype(float)
    weights = generator.exponential(size=400)
    even = clustered(Clusters(errors, np.ones(400), 400.0))
    uneven = clustered(Clusters(errors * weights, weights, 200.0))
    assert even is not None
    assert uneven is not None
    assert uneven.high - uneven.low > 1.2 * (even.high - even.low)


def test_grouped_intervals_cover_where_plain_wilson_fails() -> None:
    """25 groups of 20 whose rates differ (Beta(2, 8)): ≥ 92 % against Wilson's < 85 %."""
    generator = np.random.default_rng(7)
    rounds, ours, plain = 1500, 0, 0
    for _ in range(rounds):
        rates = generator.beta(2, 8, 25)
        totals = generator.binomial(20, rates).astype(float)
        interval = clustered(Clusters(totals, np.full(25, 20.0), 500.0))
        naive = wilson(totals.sum(), 500)
        assert interval is not None
        ours += interval.low <= 0.2 <= interval.high
        plain += naive.low <= 0.2 <= naive.high
    assert ours / rounds > 0.925
    assert plain / rounds < 0.85
