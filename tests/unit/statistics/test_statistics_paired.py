"""McNemar and Tango against published figures and others' code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as reference

from gapwise.statistics.paired import mcnemar, tango
from gapwise.statistics.signflip import clustered_difference, sign_flip


@st.composite
def pairs(draw: st.DrawFn) -> tuple[int, int, int]:
    first, second = draw(st.integers(0, 200)), draw(st.integers(0, 200))
    return first, second, draw(st.integers(max(1, first + second), 2_000))


@pytest.mark.parametrize(
    ("first", "second", "n", "low", "high"),
    [
        # Fagerland, Lydersen, Laake (2014), Statistics in Medicine 33: airway reactivity of 21
        # children before and after stem cell transplantation, cells (1, 1, 7, 12).
        (1, 7, 21, -0.517, -0.026),
        # Tango (1998): two disinfection systems for contact lenses, 44 pairs, cells (43, 0, 1, 0).
        (0, 1, 44, -0.118, 0.059),
    ],
)
def test_tango_equals_published(first: int, second: int, n: int, low: float, high: float) -> None:
    interval = tango(first, second, n)
    assert interval.low == pytest.approx(low, abs=5e-4)
    assert interval.high == pytest.approx(high, abs=5e-4)


def test_tango_without_disagreement_has_its_closed_form() -> None:
    """No discordant pair: ± z² / (n + z²)."""
    interval = tango(0, 0, 100)
    square = 1.959963984540054**2
    assert interval.high == pytest.approx(square / (100 + square))
    assert interval.low == pytest.approx(-interval.high)


@given(pairs())
def test_tango_holds_the_estimate_and_mirrors(pair: tuple[int, int, int]) -> None:
    first, second, n = pair
    interval, mirrored = tango(first, second, n), tango(second, first, n)
    assert -1 <= interval.low <= (first - second) / n + 1e-9
    assert (first - second) / n - 1e-9 <= interval.high <= 1
    assert interval.low == pytest.approx(-mirrored.high, abs=1e-8)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (5, 15), (20, 20), (300, 240)])
def test_mcnemar_equals_statsmodels(first: int, second: int) -> None:
    expected = reference([[10, first], [second, 10]], exact=True).pvalue
    assert mcnemar(first, second) == pytest.approx(min(1.0, expected))


def test_tango_covers() -> None:
    generator = np.random.default_rng(4)
    counts = generator.multinomial(300, [0.06, 0.03, 0.91], size=2_000)
    held = [tango(int(b), int(c), 300) for b, c, _ in counts]
    share = np.mean([interval.low <= 0.03 <= interval.high for interval in held])
    assert 0.94 <= share <= 0.965


def test_sign_flip_is_exact_mcnemar_for_units() -> None:
    """Flipping ±1 over all patterns is McNemar's exact test; more groups come close to it."""
    assert sign_flip(np.array([1.0] * 9 + [-1.0] * 2)) == pytest.approx(mcnemar(9, 2))
    assert sign_flip(np.array([1.0] * 30 + [-1.0] * 14)) == pytest.approx(mcnemar(30, 14), abs=0.01)


def test_sign_flip_of_nothing_and_of_one_group() -> None:
    assert sign_flip(np.zeros(5)) == 1.0
    assert sign_flip(np.array([3.0])) == 1.0


def test_one_group_has_no_interval_of_the_difference() -> None:
    assert clustered_difference(np.array([3.0]), np.array([10.0])) is None


def test_clustered_difference_is_the_t_interval_for_equal_groups() -> None:
    sums = np.array([1.0, -1.0, 2.0, 0.0, 1.0])
    interval = clustered_difference(sums, np.full(5, 10.0))
    half = 2.7764451 * (sums / 10).std(ddof=1) / np.sqrt(5)
    assert interval is not None
    assert interval.high == pytest.approx(0.06 + half)
