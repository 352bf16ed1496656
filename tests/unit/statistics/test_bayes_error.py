"""Estimates of Bayes error against data whose Bayes error is known."""

import numpy as np
import pytest
from scipy import stats
from sklearn.neighbors import NearestNeighbors

from gapwise.statistics.bayes_error import annotator_error, nearest_neighbour_bound


@pytest.mark.parametrize("distance", [1.0, 2.0, 3.0])
def test_the_bound_lies_below_the_bayes_error_of_two_gaussians(distance: float) -> None:
    random = np.random.default_rng(0)
    target = random.integers(0, 2, 12_000)
    points = random.normal(size=(12_000, 2)) + distance * target[:, None] * np.array([1.0, 0.0])
    search = NearestNeighbors(n_neighbors=1).fit(points[:8000])
    nearest = search.kneighbors(points[8000:], return_distance=False)[:, 0]
    wrong = int((target[nearest] != target[8000:]).sum())
    bayes = float(stats.norm.cdf(-distance / 2))
    found = nearest_neighbour_bound(wrong, 4000, 2)
    assert found.interval is not None
    assert found.error <= bayes + 0.01
    assert bayes <= wrong / 4000 + 0.01
    assert found.interval.low <= found.error <= found.interval.high
    assert found.error == pytest.approx((1 - np.sqrt(1 - 2 * wrong / 4000)) / 2)


def test_the_bound_at_its_ends() -> None:
    assert nearest_neighbour_bound(0, 100, 10).error == 0
    assert nearest_neighbour_bound(90, 100, 10).error == pytest.approx(0.9)
    assert nearest_neighbour_bound(100, 100, 2).error == pytest.approx(0.5)
    with pytest.raises(ValueError, match="no bound"):
        nearest_neighbour_bound(1, 10, 1)


def test_an_example_counts_once_however_many_answered() -> None:
    alike = {"a": "cat", "b": "cat", "c": "cat"}
    one_off = {"a": "cat", "b": "cat", "c": "dog"}  # c is against both; a and b are half right
    alone = {"a": "cat"}
    found = annotator_error([alike, one_off, alone])
    assert found is not None
    assert found.n == 2
    assert found.error == pytest.approx(((0.5 + 0.5 + 1) / 3) / 2)
    assert annotator_error([alone]) is None
    split = annotator_error([{"a": "cat", "b": "dog"}])
    assert split is not None
    assert (split.error, split.interval) == (1.0, None)
