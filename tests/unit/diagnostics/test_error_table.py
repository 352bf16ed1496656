"""The error table: shares of a random sample, ceilings, unions that count an example once."""

import numpy as np
import pytest

from gapwise.diagnostics.error_table import (
    SAMPLE,
    ErrorTable,
    Tagged,
    error_table,
    in_order,
    stated,
)
from gapwise.diagnostics.evidence import from_memory
from gapwise.diagnostics.ladder import diagnose
from gapwise.records import Predictions
from gapwise.statistics.intervals import wilson


def predictions(n: int, wrong: int, group: list[str] | None = None) -> Predictions:
    error = (np.arange(n) < wrong).astype(float)
    return Predictions(
        split="dev",
        example_id=np.array([f"e{row:05d}" for row in range(n)]),
        target=np.zeros(n, np.int64),
        predicted=error.astype(np.int64),
        error=error,
        weight=np.ones(n),
        classes=("no", "yes"),
        group=None if group is None else np.array(group),
    )


def table(tags: dict[str, list[str]], read: list[str], **more: object) -> ErrorTable:
    efforts = {"slanted": 1.0, "thin": 2.0}
    tagged = Tagged(tags=tags, read=set(read), efforts=efforts, comments={"e00000": "odd"})
    return error_table(predictions(200, 10), tagged, run_id="r", **more)  # type: ignore[arg-type]


def test_shares_ceilings_and_unions_by_hand() -> None:
    names = [f"e{row:05d}" for row in range(10)]
    tags = {names[0]: ["thin"], names[1]: ["thin"], names[2]: ["thin", "slanted"],
            names[3]: ["thin"], names[4]: ["slanted"], names[5]: ["slanted"]}  # fmt: skip
    found = table(tags, names)
    assert (found.error, found.errors, found.read, found.sampled) == (0.05, 10, 10, 10)
    slanted, thin = found.rows
    assert (slanted.name, slanted.count, slanted.share) == ("slanted", 3, pytest.approx(0.3))
    assert (thin.name, thin.count, thin.ceiling) == ("thin", 4, pytest.approx(0.03))
    ends = wilson(3, 10)
    assert (slanted.low, slanted.high) == (ends.low, ends.high)
    assert slanted.ceiling_low == pytest.approx(0.05 * (1 - ends.high))
    assert slanted.gain_per_effort == pytest.approx(0.015)
    (both,) = found.unions
    assert both.tags == ("slanted", "thin")
    assert both.count == 6  # not 7: one example bears both
    assert both.effort == 3.0
    assert "10 of 10 errors read at random: slanted holds 30.0 %" in found.says
    assert found.as_json()["rows"][0]["name"] == "slanted"
    assert {row["example_id"] for row in found.examples} == set(names)


def test_an_effort_that_nobody_stated_leaves_the_order_to_the_gain() -> None:
    names = [f"e{row:05d}" for row in range(10)]
    found = table({names[0]: ["a"], names[1]: ["b"], names[2]: ["b"]}, names)
    assert [row.name for row in found.rows] == ["b", "a"]
    assert found.unions[0].effort is None


def test_right_examples_and_those_outside_the_sample_count_nowhere() -> None:
    wide = predictions(1000, 400)
    order = in_order(wide.example_id, np.flatnonzero(wide.error > 0))
    names = wide.example_id[order].tolist()
    tags = {names[0]: ["thin"], names[250]: ["thin"], "e00999": ["thin"]}
    tagged = Tagged(tags=tags, read={*names[:50], names[250], "e00999"})
    found = error_table(wide, tagged, run_id="r")
    assert (found.sampled, found.read, found.outside) == (SAMPLE, 50, 1)
    assert found.rows[0].count == 1
    assert "50 of the sample are not read yet" in found.says
    assert found.skipped == 0


def test_errors_that_were_skipped_are_told() -> None:
    names = [f"e{row:05d}" for row in range(10)]
    order = in_order(np.array(names), np.arange(10))
    read = [names[place] for place in order[[0, 3, 4]]]
    found = table({read[0]: ["thin"]}, read)
    assert (found.read, found.skipped) == (3, 2)
    assert "2 before the last one read were skipped" in found.says


def test_nothing_read_says_so() -> None:
    found = table({}, [])
    assert found.rows == ()
    assert "None of the 10 errors was read yet" in found.says
    read = table({}, ["e00000"])
    assert read.says.startswith("1 of 10 errors read at random; none was tagged.")


def test_groups_widen_the_interval() -> None:
    names = [f"e{row:05d}" for row in range(60)]
    groups = [f"g{row // 10}" for row in range(60)]
    tags = {name: ["thin"] for name in names[:30]}
    tagged = Tagged(tags=tags, read=set(names))
    alone = error_table(predictions(60, 60), tagged, run_id="r").rows[0]
    grouped = error_table(predictions(60, 60, groups), tagged, run_id="r").rows[0]
    assert alone.low is not None
    assert grouped.low is not None
    assert grouped.low < alone.low


def test_the_order_of_sampling_stays_when_examples_come_and_go() -> None:
    ids = np.array([f"x{row}" for row in range(50)])
    whole = ids[in_order(ids, np.arange(50))].tolist()
    part = ids[in_order(ids, np.arange(0, 50, 3))].tolist()
    assert part == [name for name in whole if name in set(part)]
    assert whole != ids[in_order(ids, np.arange(50), seed=1)].tolist()
    assert whole != ids.tolist()


def test_a_sample_goes_on_when_half_of_the_next_hundred_is_read() -> None:
    ids = [str(number) for number in range(350)]
    assert stated(ids, set(ids[:149])) == 100
    assert stated(ids, set(ids[:150])) == 200
    assert stated(ids, set(ids)) == 350
    assert stated(ids[:40], set()) == 40
    assert stated(ids, set(), 300) == 300


def test_a_share_covers_the_truth_as_often_as_it_says() -> None:
    """Of samples of 100 from errors of which 30 % bear a tag, about 95 % cover 30 %."""
    covered = 0
    for seed in range(300):
        wide = predictions(1000, 1000)
        bears = {f"e{row:05d}": ["t"] for row in range(1000) if row % 10 < 3}
        order = wide.example_id[in_order(wide.example_id, np.arange(1000), seed)].tolist()
        tagged = Tagged(tags=bears, read=set(order[:100]))
        row = error_table(wide, tagged, run_id="r", seed=seed).rows[0]
        assert row.low is not None
        assert row.high is not None
        covered += row.low <= 0.3 <= row.high
    assert 0.92 <= covered / 300 <= 0.99


def test_the_diagnosis_bounds_a_knob_by_the_table() -> None:
    names = [f"e{row:05d}" for row in range(10)]
    found = table({name: ["thin"] for name in names[:4]}, names)
    evidence = from_memory(
        {"train": [predictions(200, 2)], "dev": [predictions(200, 10)]},
        run_ids=("r",),
        error_table=found,
    )
    finding = next(f for f in diagnose(evidence).findings if f.diagnostic == "error-table")
    (knob,) = finding.knobs
    assert knob.bound == "the error table"
    assert knob.at_most == pytest.approx(0.05 * wilson(4, 10).high)
    assert finding.says == found.says
