"""Confusion, precision, recall, F1 against scikit-learn; undefined is None, never 0."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as reference
from sklearn.metrics import precision_recall_fscore_support

from gapwise.metrics.classification import by_class, confusion_matrix, mean_f1, zero_one_errors


def test_all_figures_equal_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    target, predicted = generator.integers(0, 4, (2, 500))
    weight = generator.random(500)
    confusion = confusion_matrix(target, predicted, 4, weight)
    assert confusion == pytest.approx(reference(target, predicted, sample_weight=weight))
    expected = precision_recall_fscore_support(target, predicted, sample_weight=weight)
    reports = by_class(confusion, "abcd")
    assert [r.precision for r in reports] == pytest.approx(expected[0])
    assert [r.recall for r in reports] == pytest.approx(expected[1])
    assert [r.f1 for r in reports] == pytest.approx(expected[2])
    assert mean_f1(reports) == pytest.approx(expected[2].mean())


def test_d14_t10_absent_classes_are_undefined() -> None:
    target, predicted = np.array([0, 0, 1]), np.array([0, 1, 1])
    reports = by_class(confusion_matrix(target, predicted, 4), ["a", "b", "never", "nowhere"])
    assert (reports[2].precision, reports[2].recall, reports[2].f1) == (None, None, None)
    only_said = by_class(confusion_matrix(np.array([0]), np.array([1]), 2), "ab")
    assert (only_said[1].precision, only_said[1].recall, only_said[1].f1) == (0.0, None, 0.0)
    assert mean_f1(reports) == pytest.approx((reports[0].f1 + reports[1].f1) / 2)


def test_nothing_at_all_is_undefined() -> None:
    empty = np.array([], np.int64)
    assert mean_f1(by_class(confusion_matrix(empty, empty, 2), "ab")) is None


def test_positions_outside_are_refused() -> None:
    with pytest.raises(ValueError, match="predicted"):
        confusion_matrix(np.array([0]), np.array([2]), 2)


def test_errors_are_zero_or_one() -> None:
    errors = zero_one_errors(np.array([1, 2, 3]), np.array([1, 0, 3]))
    assert errors.tolist() == [0.0, 1.0, 0.0]
    assert errors.dtype == np.float64
