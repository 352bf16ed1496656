"""Suspicion: ranks wrong labels first, by the odds of the best other class, and by others."""

import numpy as np
import pytest

from gapwise.statistics.suspicion import suspicion, together


def test_it_is_the_margin_of_the_best_other_class() -> None:
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.5, 0.0]])
    found, suggested = suspicion(scores, np.array([0, 2, 0]), "margin")
    assert found == pytest.approx([0.25, 0.65, 0.5])
    assert suggested.tolist() == [1, 1, 1]


def test_planted_errors_come_first() -> None:
    generator = np.random.default_rng(0)
    true = generator.integers(0, 5, 500)
    scores = generator.dirichlet(np.ones(5), 500)
    scores[np.arange(500), true] += 2
    scores /= scores.sum(axis=1, keepdims=True)
    given = true.copy()
    given[:25] = (given[:25] + 1) % 5
    found, suggested = suspicion(scores, given)
    assert set(np.argsort(-found)[:25]) == set(range(25))
    assert (suggested[:25] == true[:25]).all()


def test_the_scores_are_not_touched_and_none_is_fine() -> None:
    scores = np.full((3, 2), 0.5, np.float32)
    suspicion(scores, np.zeros(3, int))
    assert (scores == 0.5).all()
    found, suggested = suspicion(np.empty((0, 2)), np.empty(0, int))
    assert (len(found), len(suggested)) == (0, 0)


@pytest.mark.parametrize(
    ("scores", "given"), [(np.ones((2, 1)), [0, 0]), (np.ones((2, 2)), [0, 2])]
)
def test_what_cannot_be_is_told(scores: np.ndarray, given: list[int]) -> None:
    with pytest.raises(ValueError, match=r"leave nothing|lie outside"):
        suspicion(scores, np.array(given))


def test_together_is_the_mean() -> None:
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert together([a, a, b]).tolist() == [[pytest.approx(2 / 3), pytest.approx(1 / 3)]]


def test_suspicion_is_the_odds_of_the_best_other_class() -> None:
    scores = np.array([[0.2, 0.6, 0.2], [0.7, 0.1, 0.2], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    doubt, suggested = suspicion(scores, np.array([0, 0, 0, 2]))
    assert doubt.tolist() == pytest.approx([0.75, 2 / 9, 1.0, 0.0])
    assert suggested.tolist()[:3] == [1, 2, 1]
    assert np.isfinite(suspicion(np.zeros((2, 3)), np.array([0, 1]))[0]).all()


def test_labels_can_be_ranked_by_other_scores() -> None:
    scores, given = np.array([[0.3, 0.5, 0.2]]), np.array([0])
    assert suspicion(scores, given, "confidence")[0].tolist() == pytest.approx([0.7])
    assert suspicion(scores, given, "margin")[0].tolist() == pytest.approx([0.6])
    with pytest.raises(ValueError, match="no score is called 'entropy'"):
        suspicion(scores, given, "entropy")
