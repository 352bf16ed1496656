"""The size adviser: its power is what it says, by simulation."""

import numpy as np
import pytest

from gapwise.errors import UsageError
from gapwise.statistics.paired import mcnemar
from gapwise.statistics.size import (
    advise,
    half_width,
    mcnemar_power,
    size_for_half_width,
    starting_points,
)


@pytest.mark.parametrize(("difference", "discordance"), [(0.02, 0.05), (0.05, 0.05), (0.1, 0.3)])
def test_power_at_the_advised_size_is_what_was_asked(difference: float, discordance: float) -> None:
    advice = advise(difference, 0.3, discordance=discordance)
    generator = np.random.default_rng(0)
    shares = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    counts = generator.multinomial(advice.n, shares, size=2_000)
    found = np.mean([mcnemar(int(b), int(c)) < 0.05 for b, c, _ in counts])
    assert found == pytest.approx(mcnemar_power(advice.n, difference, discordance), abs=0.03)
    assert found > 0.77
    smaller = mcnemar_power(int(0.8 * advice.n), difference, discordance)
    assert smaller < 0.8


def test_smaller_differences_need_more_and_less_discordance_less() -> None:
    assert advise(0.005, 0.05).n > 3 * advise(0.01, 0.05).n
    assert advise(0.01, 0.05, discordance=0.02).n < advise(0.01, 0.05).n


def test_it_states_its_assumptions() -> None:
    says = advise(0.01, 0.05).says
    for part in ("α = 0.05", "power 80 %", "8.6 %", "assumed"):
        assert part in says


@pytest.mark.parametrize(
    ("difference", "error", "discordance"),
    [(0, 0.1, None), (0.2, 0.1, None), (0.1, 0.2, 0.05), (0.1, 0.2, 1.5), (float("nan"), 1, None)],
)
def test_impossible_questions_are_refused(
    difference: float, error: float, discordance: float | None
) -> None:
    with pytest.raises(UsageError):
        advise(difference, error, discordance=discordance)


@pytest.mark.parametrize("error", [0.0, 0.02, 0.3, 1.0])
def test_width_and_size_are_inverse(error: float) -> None:
    n = size_for_half_width(error, 0.01)
    assert half_width(error, n) <= 0.01 < half_width(error, n - 1)


def test_starting_points_are_the_notes() -> None:
    big = {point.name: point for point in starting_points(1_000_000)}
    assert (big["98/1/1"].dev, big["98/1/1"].test, big["98/1/1"].recommended) == (
        10_000,
        10_000,
        True,
    )
    small = {point.name: point for point in starting_points(1_000)}
    assert (small["60/20/20"].train, small["60/20/20"].recommended) == (600, True)
    assert (small["70/30"].train, small["70/30"].test) == (700, 300)
    assert all(p.train + p.dev + p.test == 7 for p in starting_points(7))
