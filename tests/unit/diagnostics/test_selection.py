"""Satisficing and optimizing metrics: standings, the winner, ties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapwise.diagnostics.gate import Limit
from gapwise.diagnostics.measured import Value
from gapwise.diagnostics.measures import to_optimize
from gapwise.diagnostics.selection import Candidate, holm, select
from gapwise.statistics.intervals import Interval


def candidate(run: str, accuracy: float | None, ms: float, spread: float = 0.0) -> Candidate:
    times = Value(value=ms, interval=Interval(ms - spread, ms + spread) if spread else None)
    values = {"accuracy": Value(value=accuracy, why="no dev"), "ms": times}
    return Candidate(run_id=run, name=run, values=values)


def surely(a: str, b: str) -> float:
    return 0.001


def test_the_classifiers_of_the_notes_come_out_b() -> None:
    # Notes 4.4: A 90 % in 80 ms, B 92 % in 95 ms, C 95 % in 1,500 ms, within 100 ms.
    runs = [candidate("A", 0.90, 80), candidate("B", 0.92, 95), candidate("C", 0.95, 1500)]
    found = select(to_optimize("accuracy"), [Limit.parse("ms<=100")], runs, surely)
    document = found.as_json()
    assert (document["winner"], document["tied_with"]) == ("B", [])
    assert (document["feasible"], document["infeasible"]) == (["B", "A"], ["C"])
    assert "B is the best of 2" in document["says"]
    without = select(to_optimize("accuracy"), [], runs, surely)
    assert without.winner == "C"


def test_a_limit_inside_the_interval_is_borderline_and_never_wins() -> None:
    runs = [candidate("quick", 0.9, 80, spread=5), candidate("close", 0.95, 98, spread=5)]
    found = select(to_optimize("accuracy"), [Limit.parse("ms<=100")], runs, surely)
    assert (found.winner, found.of("borderline")) == ("quick", ["close"])
    none = select(to_optimize("accuracy"), [Limit.parse("ms<=99")], runs[1:], surely)
    assert none.winner is None
    assert none.says == "No run surely keeps every limit; 1 may: measure more exactly."


def test_what_is_not_known_is_borderline_under_a_limit_and_does_not_win() -> None:
    unknown = Candidate(
        run_id="u", name="u", values={"accuracy": Value(value=0.99), "ms": Value(value=None)}
    )
    runs = [unknown, candidate("k", 0.9, 80)]
    found = select(to_optimize("accuracy"), [Limit.parse("ms<=100")], runs, surely)
    assert (found.winner, found.of("borderline")) == ("k", ["u"])
    undefined = select(to_optimize("accuracy"), [], [candidate("n", None, 1)], surely)
    assert (undefined.winner, undefined.says) == (None, "No run has the metric.")


def test_ties_are_those_that_a_paired_test_cannot_tell_apart() -> None:
    runs = [candidate("a", 0.9, 1), candidate("b", 0.91, 1), candidate("c", 0.8, 1)]
    p_values = {"a": 0.4, "c": 0.001}
    found = select(to_optimize("accuracy"), [], runs, lambda winner, other: p_values[other])
    assert (found.winner, found.tied_with) == ("b", ("a",))
    assert "tied with a" in found.says
    by_id = {one.candidate.run_id: one.p_value for one in found.judged}
    assert by_id == {"b": None, "a": 0.4, "c": 0.002}


def test_two_others_at_four_percent_are_no_proof_of_a_difference() -> None:
    runs = [candidate("a", 0.9, 1), candidate("b", 0.8, 1), candidate("c", 0.8, 2)]
    found = select(to_optimize("accuracy"), [], runs, lambda winner, other: 0.04)
    assert found.tied_with == ("b", "c")


def test_without_a_paired_test_overlapping_intervals_and_equal_values_tie() -> None:
    runs = [candidate(f"{ms}", 0.9, ms, spread=3) for ms in (10, 14, 30)]
    found = select(to_optimize("min:ms"), [], runs)
    assert (found.winner, found.tied_with) == ("10", ("14",))
    equal = select(to_optimize("accuracy"), [], runs)
    assert set(equal.tied_with) == {"14", "30"}


def test_equal_values_are_broken_by_the_limited_metric() -> None:
    runs = [candidate("slow", 0.9, 90), candidate("quick", 0.9, 10)]
    found = select(to_optimize("accuracy"), [Limit.parse("ms<=100")], runs, lambda a, b: 1.0)
    assert (found.winner, found.tied_with) == ("quick", ("slow",))


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    pairs = sorted(zip(p_values, adjusted, strict=True))
    assert [a for _, a in pairs] == sorted(a for _, a in pairs)
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
