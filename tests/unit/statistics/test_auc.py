"""The area under the ROC curve and its interval."""

import numpy as np
import pytest

from gapwise.statistics.auc import auc


def test_it_is_the_share_of_pairs_ranked_rightly_with_ties_half() -> None:
    found = auc(np.array([0.1, 0.4, 0.35]), np.array([0.4, 0.8]))
    assert found.area == pytest.approx((5 + 0.5) / 6)
    assert found.low < found.area < found.high


@pytest.mark.parametrize(("sign", "area"), [(1, 1.0), (-1, 0.0)])
def test_perfect_order_is_not_certain(sign: int, area: float) -> None:
    found = auc(np.arange(10.0), sign * 100 + np.arange(10.0))
    assert found.area == area
    assert 0 < found.high - found.low < 0.5
    assert 0 <= found.low <= found.area <= found.high <= 1


def test_all_ties_tell_nothing() -> None:
    found = auc(np.zeros(20), np.zeros(30))
    assert found.area == 0.5
    assert found.low < 0.5 < found.high


def test_one_of_a_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="two or more"):
        auc(np.zeros(1), np.zeros(5))


def test_the_interval_holds_the_truth() -> None:
    """Normal scores one deviation apart: the area is Φ(1/√2)."""
    generator, truth, held = np.random.default_rng(0), 0.7602, 0
    for _ in range(400):
        found = auc(generator.normal(0, 1, 40), generator.normal(1, 1, 60))
        held += found.low <= truth <= found.high
    assert held >= 0.92 * 400
