"""The mean of paired differences, by hand and against what it is built on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapwise.statistics.paired import mcnemar, tango
from gapwise.statistics.paired_mean import paired_mean


def test_signs_of_independent_examples_are_mcnemar_and_tango() -> None:
    found = paired_mean(np.array([1.0] * 12 + [-1.0] * 3 + [0.0] * 85))
    bounds = tango(12, 3, 100)
    assert found.mean == pytest.approx(0.09)
    assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high))
    assert found.p_value == pytest.approx(mcnemar(12, 3))


def test_fractions_and_groups_have_a_t_interval_by_hand() -> None:
    found = paired_mean(np.array([0.1, 0.2, 0.3, 0.4]))
    # mean 0.25, standard error 0.0645, t(3) = 3.182
    assert (found.mean, found.low, found.high) == pytest.approx((0.25, 0.04460, 0.45540), abs=1e-4)
    assert found.p_value == pytest.approx(2 / 16)
    group = np.repeat(["a", "b", "c", "d"], 25)
    grouped = paired_mean(np.repeat([0.1, 0.2, 0.3, 0.4], 25), group=group)
    assert (grouped.low, grouped.high) == pytest.approx((found.low, found.high))


def test_weights_count() -> None:
    found = paired_mean(np.array([1.0, 0.0, 1.0]), weight=np.array([2.0, 1.0, 0.0]))
    assert found.mean == pytest.approx(2 / 3)


def test_groups_that_agree_count_as_one_example_each() -> None:
    group = np.repeat(np.arange(20), 10)
    found = paired_mean(np.zeros(200), group=group)
    bounds = tango(0, 0, 20)
    assert (found.low, found.high) == (bounds.low, bounds.high)
    assert found.p_value == 1.0
    assert paired_mean(np.full(5, 0.5)).interval is None
    assert paired_mean(np.array([0.5])).interval is None


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=2, max_size=60))
def test_turning_the_signs_turns_everything(values: list[float]) -> None:
    ours, theirs = paired_mean(np.array(values)), paired_mean(-np.array(values))
    assert theirs.mean == pytest.approx(-ours.mean)
    assert theirs.p_value == pytest.approx(ours.p_value, abs=0.02)
    if ours.low is not None and ours.high is not None:
        assert (theirs.low, theirs.high) == pytest.approx((-ours.high, -ours.low), abs=1e-6)
        assert ours.low - 1e-9 <= ours.mean <= ours.high + 1e-9
