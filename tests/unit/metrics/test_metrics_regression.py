"""Errors in the target's own unit, against numbers worked by hand and by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from gapwise.metrics.regression import regression

TRUE = np.array([1.0, 2.0, 3.0, 10.0])
SAID = np.array([1.0, 4.0, 2.0, 6.0])


def test_by_hand() -> None:
    found = regression(TRUE, SAID)
    assert found.n == 4
    assert found.mae == pytest.approx(7 / 4)
    assert found.median == pytest.approx(1.5)
    assert found.rmse == pytest.approx(np.sqrt(21 / 4))
    assert found.bias == pytest.approx(-3 / 4)
    assert found.r2 == pytest.approx(1 - 21 / 50)


def test_as_scikit_learn_with_weights() -> None:
    random = np.random.default_rng(0)
    true, said, weight = random.normal(size=50), random.normal(size=50), random.random(50)
    found = regression(true, said, weight)
    assert found.mae == pytest.approx(mean_absolute_error(true, said, sample_weight=weight))
    squared = mean_squared_error(true, said, sample_weight=weight)
    assert found.rmse == pytest.approx(np.sqrt(squared))
    assert found.r2 == pytest.approx(r2_score(true, said, sample_weight=weight))
    assert found.r2 is not None
    assert found.r2 < 0


@pytest.mark.parametrize("n", [1, 2, 5, 6, 1001])
def test_the_median_is_numpys_and_a_weight_is_a_count(n: int) -> None:
    random = np.random.default_rng(n)
    true, said = random.normal(size=n), random.normal(size=n)
    counts = random.integers(1, 4, n)
    assert regression(true, said).median == pytest.approx(np.median(np.abs(said - true)))
    repeated = np.repeat(np.abs(said - true), counts)
    weighted = regression(true, said, counts.astype(float))
    assert weighted.median == pytest.approx(np.median(repeated))


def test_r2_of_a_constant_is_not_defined() -> None:
    assert regression(np.ones(3), np.array([1.0, 2.0, 3.0])).r2 is None


@pytest.mark.parametrize(
    ("true", "said"), [(TRUE, SAID[:, None]), (TRUE[:, None], SAID), (TRUE, SAID[:3]), ([], [])]
)
def test_shapes_that_would_be_broadcast_are_refused(true, said) -> None:
    with pytest.raises(ValueError, match="the shape"):
        regression(np.array(true), np.array(said))
