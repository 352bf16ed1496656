"""Two settings under several seeds: the difference, and whether its interval holds."""

import numpy as np
import pytest

from gapwise.statistics.paired_mean import paired_mean
from gapwise.statistics.paired_seeds import paired_seeds


def errors(
    generator: np.random.Generator, seeds: int, hardness: np.ndarray, shift: float
) -> np.ndarray:
    """(seeds, examples) 0/1 errors: an example's hardness, and each seed's own luck."""
    luck = generator.normal(0.0, 0.35, (seeds, 1))
    chance = 1 / (1 + np.exp(-(hardness + luck + shift)))
    return (generator.random((seeds, len(hardness))) < chance).astype(float)


def test_the_interval_holds_the_true_difference_in_95_of_100() -> None:
    generator = np.random.default_rng(0)
    wide = np.random.default_rng(1)
    # the true difference between the settings, over endlessly many examples and seeds
    hardness = wide.normal(-1.5, 1.5, 200_000)
    luck = wide.normal(0.0, 0.35, 200_000)
    first = (1 / (1 + np.exp(-(hardness + luck)))).mean()
    second = (1 / (1 + np.exp(-(hardness + luck - 0.5)))).mean()
    held, widths = 0, []
    for _ in range(400):
        sample = generator.normal(-1.5, 1.5, 200)
        found = paired_seeds(errors(generator, 4, sample, 0.0), errors(generator, 4, sample, -0.5))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= first - second <= found.high
        widths.append(found.high - found.low)
    assert held / 400 >= 0.93
    assert np.mean(widths) < 0.25


def test_one_seed_each_is_the_paired_comparison_of_two_runs() -> None:
    generator = np.random.default_rng(3)
    ours = (generator.random((1, 100)) < 0.3).astype(float)
    theirs = (generator.random((1, 100)) < 0.2).astype(float)
    found, alone = paired_seeds(ours, theirs), paired_mean(ours[0] - theirs[0])
    assert (found.difference, found.low, found.high) == (alone.mean, alone.low, alone.high)


def test_seeds_that_differ_widen_the_interval() -> None:
    ours = np.repeat(np.array([[0.0], [1.0], [0.0], [1.0]]), 50, axis=1)
    theirs = np.zeros((4, 50))
    found = paired_seeds(ours, theirs)
    assert found.difference == 0.5
    assert found.low is None or found.low < 0 < found.high  # type: ignore[operator]


def test_weights_and_groups_count() -> None:
    ours = np.array([[1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    theirs = np.zeros((2, 4))
    weight = np.array([3.0, 1.0, 1.0, 1.0])
    group = np.array(["a", "a", "b", "c"])
    found = paired_seeds(ours, theirs, weight, group)
    assert found.first == pytest.approx((4 / 6 + 3 / 6) / 2)
    assert found.second == 0.0
    assert found.low is not None
    with pytest.raises(ValueError, match="4 and 3 examples"):
        paired_seeds(ours, theirs[:, :3])
