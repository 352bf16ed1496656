"""The notes' learning-rate decays (3.13), against the numbers that they print."""

from math import sqrt
from typing import Any

import pytest

from gapwise.errors import PipelineError
from gapwise.training.recipe import build
from gapwise.training.schedules.base import SCHEDULES, Schedule

STEPS_PER_EPOCH = 7


def made(name: str, **options: Any) -> Schedule:
    schedule: Schedule = build(SCHEDULES, {"name": name, **options})
    return schedule


def rates(schedule: Schedule, epochs: int, alpha0: float = 1.0) -> list[float]:
    """Return α in each epoch, which must be one throughout it."""
    told = []
    for first in range(0, epochs * STEPS_PER_EPOCH, STEPS_PER_EPOCH):
        steps = range(first, first + STEPS_PER_EPOCH)
        factors = {schedule.factor(step, 10**6, STEPS_PER_EPOCH) for step in steps}
        assert len(factors) == 1
        told.append(alpha0 * factors.pop())
    return told


def test_inverse_time_gives_the_printed_table() -> None:
    told = rates(made("inverse-time", decay=1), 4, alpha0=0.2)
    assert [round(rate, 3) for rate in told] == [0.1, 0.067, 0.05, 0.04]


def test_staircase_is_the_notes_listing() -> None:
    """The listing sets the rate only in epochs that the interval divides; it begins at α₀."""
    alpha0, decay, interval = 0.2, 0.5, 3
    rate, expected = alpha0, []
    for epoch in range(1, 11):
        if epoch % interval == 0:
            rate = alpha0 / (1 + decay * epoch / interval)
        expected.append(rate)
    told = rates(made("staircase", decay=decay, interval=interval), 10, alpha0)
    assert told == pytest.approx(expected, rel=1e-12)
    assert len(set(told)) == 4


def test_a_staircase_of_one_epoch_a_step_is_inverse_time() -> None:
    assert rates(made("staircase", decay=1, interval=1), 5) == rates(made("inverse-time"), 5)


def test_exponential() -> None:
    told = rates(made("exponential"), 3, alpha0=0.2)
    assert told == pytest.approx([0.2 * 0.95, 0.2 * 0.95**2, 0.2 * 0.95**3])


def test_inverse_epoch() -> None:
    assert rates(made("inverse-epoch", k=2), 4) == pytest.approx([2, 1, 2 / 3, 1 / 2])


def test_inverse_root() -> None:
    expected = [3, 3 / sqrt(2), sqrt(3), 1.5]
    assert rates(made("inverse-root", k=3), 4) == pytest.approx(expected)


def test_inverse_step_counts_steps_from_1() -> None:
    schedule = made("inverse-step", k=0.5)
    told = [schedule.factor(step, 100, STEPS_PER_EPOCH) for step in range(4)]
    assert told == pytest.approx([0.5, 0.25, 0.5 / 3, 0.125])


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"name": "inverse-time", "decay": -1}, "decay is -1, but must be at least 0"),
        ({"name": "staircase", "interval": 0}, "interval is 0, but must be at least 1"),
        ({"name": "exponential", "base": 1.5}, r"base is 1\.5, but must be in \[0, 1\]"),
        ({"name": "inverse-epoch", "k": -2}, "k is -2, but must be at least 0"),
    ],
)
def test_a_value_out_of_range_is_named(part: dict[str, Any], says: str) -> None:
    with pytest.raises(PipelineError, match=f"schedule {part['name']}: {says}"):
        build(SCHEDULES, part)
