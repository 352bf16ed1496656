"""Wrong labels are told from honest mistakes; where they cannot be, nothing is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from gapwise.statistics.label_noise import HONEST, Disputed, disputed, honest_share

K = 10


def network(n: int = 2_000, errors: float = 0.1, seed: int = 0) -> tuple[NDArray, NDArray]:
    """Scores of a network that confuses each class with the next, and the true labels."""
    generator = np.random.default_rng(seed)
    true = generator.integers(0, K, n)
    chosen = np.where(generator.random(n) < errors, (true + 1) % K, true)
    other = np.where(chosen == true, (true + 1) % K, true)
    scores = generator.dirichlet(np.full(K, 0.1), n) * 0.05
    rows = np.arange(n)
    scores[rows, chosen] += generator.uniform(0.6, 0.9, n)
    scores[rows, other] += generator.uniform(0.05, 0.1, n)
    return scores / scores.sum(axis=1, keepdims=True), true


def noisy(labels: NDArray, share: float) -> NDArray:
    generator = np.random.default_rng(1)
    wrong = generator.random(len(labels)) < share
    return np.where(wrong, (labels + generator.integers(1, K, len(labels))) % K, labels)


@pytest.mark.parametrize("errors", [0.0, 0.02, 0.1, 0.4])
def test_honest_mistakes_are_no_noise(errors: float) -> None:
    found = disputed(*network(errors=errors))
    assert found is not None
    assert found.share() == 0


@pytest.mark.parametrize("share", [0.05, 0.15, 0.3])
def test_noise_is_found_and_its_share_is_a_lower_bound(share: float) -> None:
    scores, labels = network(errors=0.02)
    given_labels = noisy(labels, share)
    found = disputed(scores, given_labels)
    assert found is not None
    true = float((given_labels != labels).mean())
    assert 0.5 * true < found.share() <= 1.1 * true


def test_labels_that_nobody_knows_and_scores_that_are_none_are_left_out() -> None:
    scores, labels = network(n=400)
    broken = np.vstack([scores, np.full((3, K), np.nan), scores[:2]])
    given_labels = np.concatenate([labels, labels[:3], [-1, K]])
    assert disputed(broken, given_labels) == disputed(scores, labels)


def test_it_abstains_where_it_cannot_tell() -> None:
    scores, labels = network(errors=0.6)
    assert disputed(scores, labels) is None
    assert disputed(np.full((5, 2), 0.5), np.zeros(5, int)) is None
    assert disputed(np.empty((0, K)), np.empty(0, int)) is None


@settings(max_examples=50)
@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 12), st.just(5))), st.integers(0, 4))
def test_everything_is_survived(scores: NDArray, label: int) -> None:
    found = disputed(scores, np.full(len(scores), label))
    assert found is None or 0 <= found.share() <= 1


def test_a_network_is_held_against_its_own_most_honest_split() -> None:
    clean, noisy_ = (Disputed(n=500, sure=50, unlikely=u, of_random=0.75) for u in (20, 40))
    assert honest_share([clean, noisy_]) == 0.4
    assert honest_share([Disputed(n=500, sure=5, unlikely=5, of_random=0.75)]) == HONEST
    assert honest_share([]) == HONEST
    assert noisy_.share(0.4) > 0
    assert noisy_.share(0.8) == 0
    assert clean.share(0.4) == 0
