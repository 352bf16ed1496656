"""The optimism of the best of several: against a simulated truth, and at its edges."""

import numpy as np
import pytest

from gapwise.statistics.best_of import best_of


def alike(random: np.random.Generator, runs: int, n: int) -> np.ndarray:
    """Errors of runs that are equally good (20 %) and err mostly on the same hard examples."""
    hard = random.beta(0.5, 2.0, n)
    return (random.random((runs, n)) < hard).astype(float)


def test_it_comes_near_the_true_optimism_where_independent_draws_overshoot() -> None:
    random = np.random.default_rng(0)
    estimated, true = [], []
    for _ in range(40):
        errors = alike(random, 50, 200)
        found = best_of(errors, draws=300)
        estimated.append(found.optimism)
        true.append(0.2 - found.apparent)  # every run errs on 20 % of what may come
        assert found.low <= found.corrected <= found.high
    assert abs(np.mean(estimated) - np.mean(true)) < 0.01


def test_one_run_and_runs_that_are_equal_have_none() -> None:
    errors = np.zeros((1, 40))
    errors[0, :8] = 1
    assert best_of(errors).optimism == pytest.approx(0, abs=0.004)
    same = best_of(np.repeat(errors, 5, axis=0))
    assert (same.best, same.candidates, same.n) == (0, 5, 40)
    assert same.optimism == pytest.approx(0, abs=0.004)
    perfect = best_of(np.zeros((3, 10)))
    assert (perfect.apparent, perfect.corrected, perfect.low, perfect.high) == (0, 0, 0, 0)


def test_groups_are_drawn_whole() -> None:
    random = np.random.default_rng(1)
    few = random.random((30, 10)) < 0.3
    errors = np.repeat(few, 20, axis=1).astype(float)
    group = np.repeat(np.arange(10), 20)
    grouped = best_of(errors, group=group)
    assert grouped.n == 10
    assert grouped.optimism > 3 * best_of(errors).optimism


@pytest.mark.parametrize("errors", [np.zeros(3), np.zeros((0, 3)), np.zeros((3, 0))])
def test_a_matrix_that_is_none_is_refused(errors: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\(runs, examples\)"):
        best_of(errors)
    with pytest.raises(ValueError, match="weight has the shape"):
        best_of(np.zeros((2, 3)), weight=np.ones(2))
