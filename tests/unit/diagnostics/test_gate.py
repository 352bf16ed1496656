"""The rules of the gate: sure outcomes at 95 %, and what lies between."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapwise.diagnostics.compare import compare
from gapwise.diagnostics.gate import Limit, not_worse
from gapwise.errors import UsageError
from gapwise.records import Predictions
from gapwise.statistics.intervals import Interval
from gapwise.statistics.paired import mcnemar, tango


def table(errors: list[float], group: list[str] | None = None) -> Predictions:
    n = len(errors)
    return Predictions(
        split="dev",
        example_id=np.array([f"{i:05d}" for i in range(n)]),
        target=np.zeros(n, np.int64),
        predicted=np.zeros(n, np.int64),
        error=np.asarray(errors, float),
        weight=np.ones(n),
        classes=("a", "b"),
        group=None if group is None else np.array(group),
    )


def pair(run_only: int, reference_only: int, n: int) -> tuple[Predictions, Predictions]:
    """Predictions of run and reference with so many errors that only one of them makes."""
    run = [1.0] * run_only + [0.0] * (n - run_only)
    reference = [0.0] * run_only + [1.0] * reference_only
    return table(run), table(reference + [0.0] * (n - len(reference)))


@pytest.mark.parametrize(
    ("run_only", "reference_only", "margin", "outcome"),
    [
        (20, 5, 0.0, "fails"),  # McNemar p = 0.004
        (5, 20, 0.0, "holds"),
        (10, 8, 0.0, "undecided"),
        (0, 0, 0.0, "undecided"),
        (10, 8, 0.05, "holds"),  # Tango's interval of 2 of 400: −1.7 … 2.7 points
        (10, 8, 0.01, "undecided"),
        (60, 5, 0.05, "fails"),
        (20, 5, 0.05, "undecided"),  # surely worse, perhaps not by five points
    ],
)
def test_a_reference_is_beaten_missed_or_neither(
    run_only: int, reference_only: int, margin: float, outcome: str
) -> None:
    rule = not_worse(compare(*pair(run_only, reference_only, 400)), "old", margin)
    assert rule.outcome == outcome
    assert rule.evidence["p_value"] == pytest.approx(mcnemar(run_only, reference_only))
    bounds = tango(run_only, reference_only, 400)
    assert (rule.evidence["low"], rule.evidence["high"]) == pytest.approx((bounds.low, bounds.high))
    assert "old" in rule.says
    assert rule.evidence["n"] == 400


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.001, 0.2))
def test_a_wider_margin_never_makes_a_run_fail(a: int, b: int, margin: float) -> None:
    found = compare(*pair(a, b, 200))
    order = ["fails", "undecided", "holds"]
    narrow, wide = (not_worse(found, "old", m).outcome for m in (margin, 2 * margin))
    assert order.index(wide) >= order.index(narrow)


def test_one_group_shows_nothing_so_nothing_is_decided() -> None:
    run = table([1.0] * 30 + [0.0] * 30, ["one"] * 60)
    rule = not_worse(compare(run, table([0.0] * 60, ["one"] * 60)), "old", 0.01)
    assert rule.outcome == "undecided"
    assert "no interval" in rule.says


@pytest.mark.parametrize(
    ("text", "value", "interval", "outcome"),
    [
        ("error<=0.05", 0.05, None, "holds"),
        ("error<0.05", 0.05, None, "fails"),
        ("error<=0.05", 0.04, Interval(0.03, 0.06), "undecided"),
        ("error<=0.05", 0.06, Interval(0.051, 0.07), "fails"),
        ("error <= 5e-2", 0.04, Interval(0.03, 0.05), "holds"),
        ("dev/recall>=0.9", 0.95, Interval(0.91, 0.97), "holds"),
        ("dev/recall>0.9", 0.85, Interval(0.8, 0.9), "fails"),
        ("loss<=1", math.nan, None, "fails"),
        ("loss<=1", math.inf, None, "fails"),
    ],
)
def test_a_limit_is_kept_broken_or_within_the_interval(
    text: str, value: float, interval: Interval | None, outcome: str
) -> None:
    rule = Limit.parse(text).judge(value, interval)
    assert rule.outcome == outcome
    assert rule.evidence["value"] is None or math.isfinite(rule.evidence["value"])


@pytest.mark.parametrize("text", ["", "error", "error<=", "<=3", "error=3", "a b<=3", "e<=nan"])
def test_a_limit_that_cannot_be_read_shows_one(text: str) -> None:
    with pytest.raises(UsageError, match=r"dev_error<=0\.05"):
        Limit.parse(text)
