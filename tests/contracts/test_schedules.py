"""What holds for every registered learning-rate schedule."""

import math
import random

import pytest

from gapwise.errors import PipelineError
from gapwise.pipeline_file import check_options
from gapwise.pipeline_parts import Part
from gapwise.training.schedules.base import SCHEDULES, Schedule

NAMES = SCHEDULES.names()
# Steps in all, and of an epoch.
HORIZONS = ((1, 1), (2, 1), (3, 3), (10, 5), (777, 111))


def made(name: str) -> Schedule:
    return SCHEDULES.get(name)(**check_options(SCHEDULES, Part(name=name), "training.schedule"))


def test_the_shipped_schedules_are_found() -> None:
    assert {
        *("constant", "cosine", "one-cycle", "exponential", "staircase"),
        *("inverse-time", "inverse-epoch", "inverse-root", "inverse-step"),
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_no_option_that_it_does_not_have(name: str) -> None:
    with pytest.raises(PipelineError, match="no such option"):
        check_options(SCHEDULES, Part(name=name, wramup=1.0), "training.schedule")  # type: ignore[call-arg]


@pytest.mark.parametrize(("steps", "an_epoch"), HORIZONS)
@pytest.mark.parametrize("name", NAMES)
def test_factors_are_finite_and_positive_up_to_the_last_step(
    name: str, steps: int, an_epoch: int
) -> None:
    factors = [made(name).factor(step, steps, an_epoch) for step in range(steps)]
    assert all(math.isfinite(factor) and 0 <= factor <= 1 + 1e-12 for factor in factors)
    # A schedule may end at 0 exactly, but every step before the last has to train.
    assert all(factor > 0 for factor in factors[:-1])
    assert max(factors) > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_factor_is_a_function_of_the_step_alone(name: str) -> None:
    """What a training that resumes, or asks twice, gets is what it would have got."""
    steps = 50
    once = made(name)
    in_order = [once.factor(step, steps, 10) for step in range(steps)]
    shuffled = list(range(steps))
    random.Random(0).shuffle(shuffled)
    asked = {step: once.factor(step, steps, 10) for step in shuffled}
    fresh = {step: made(name).factor(step, steps, 10) for step in shuffled}
    assert asked == fresh == dict(enumerate(in_order))


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_at_about_the_optimizers_rate(name: str) -> None:
    """The notes count epochs from 1, so that their decays begin below α₀: at half of it at most."""
    factors = [made(name).factor(step, 1000, 100) for step in range(1000)]
    assert 0.5 <= max(factors) <= 1 + 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_training_beyond_the_horizon_goes_on_at_no_higher_a_rate(name: str) -> None:
    factors = [made(name).factor(step, 20, 10) for step in range(60)]
    assert all(0 <= factor <= max(factors[:20]) for factor in factors)
