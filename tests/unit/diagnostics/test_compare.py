"""Two runs on the same examples, and the notes' table of 4.14."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gapwise.diagnostics.compare import compare
from gapwise.diagnostics.evidence import Evidence, from_memory
from gapwise.diagnostics.knob_changes import knobs_changed
from gapwise.diagnostics.ladder import diagnose
from gapwise.diagnostics.matched import matched
from gapwise.diagnostics.parts import labels_digest
from gapwise.errors import DataError
from gapwise.records import HumanLevel, Predictions, plain
from gapwise.statistics.paired import mcnemar, tango


def table(errors: list[float] | np.ndarray, split: str = "dev", **columns: Any) -> Predictions:
    n = len(errors)
    values: dict[str, Any] = {
        "split": split,
        "example_id": np.array([f"{i:04d}" for i in range(n)]),
        "target": np.zeros(n, np.int64),
        "predicted": np.zeros(n, np.int64),
        "error": np.asarray(errors, float),
        "weight": np.ones(n),
        "classes": ("a", "b"),
    }
    return Predictions(**(values | columns))


A = table([1] * 12 + [0] * 3 + [1] * 5 + [0] * 80)
B = table([0] * 12 + [1] * 3 + [1] * 5 + [0] * 80)


def test_the_document_is_as_designed() -> None:
    document = json.loads(json.dumps(plain(compare(A, B).as_json()), allow_nan=False))
    designed = (
        "split n_shared difference low high p_value verdict fixed broken fixed_ids broken_ids "
        "knobs_changed"
    )
    assert set(designed.split()) <= set(document)
    assert (document["split"], document["n_shared"]) == ("dev", 100)
    assert document["difference"] == pytest.approx(0.09)
    assert (document["fixed"], document["broken"]) == (12, 3)
    assert document["fixed_ids"] == [f"{i:04d}" for i in range(12)]
    assert document["broken_ids"] == ["0012", "0013", "0014"]
    assert document["p_value"] == pytest.approx(mcnemar(12, 3))
    assert document["p_value"] < 0.05
    assert document["verdict"] == "b"
    interval = tango(12, 3, 100)
    assert (document["low"], document["high"]) == pytest.approx((interval.low, interval.high))


def test_swapping_the_runs_mirrors_everything() -> None:
    ours, theirs = compare(A, B), compare(B, A)
    assert theirs.verdict == "a"
    assert theirs.difference == pytest.approx(-ours.difference)
    assert theirs.low == pytest.approx(-ours.high, abs=1e-8)
    assert (theirs.fixed_ids, theirs.broken_ids) == (ours.broken_ids, ours.fixed_ids)


def test_order_and_examples_of_one_run_alone_do_not_matter() -> None:
    keep = np.random.default_rng(0).permutation(100)
    extra = table(np.r_[B.error[keep], [1, 1]])
    extra = replace(extra, example_id=np.r_[B.example_id[keep], ["x1", "x2"]])
    found = compare(A, extra)
    assert (found.n_shared, found.fixed_ids) == (100, compare(A, B).fixed_ids)
    assert found.extra["n_b"] == 102


@pytest.mark.parametrize(
    "errors", [[0.0], [1.0], [0.0] * 50, [1.0] * 50], ids=["one", "one wrong", "right", "wrong"]
)
def test_equal_runs_are_undecided(errors: list[float]) -> None:
    found = compare(table(errors), table(errors))
    assert (found.verdict, found.p_value, found.difference) == ("undecided", 1.0, 0.0)
    assert found.low < 0 < found.high


def test_groups_are_not_taken_for_examples() -> None:
    """30 frames of one video fixed: McNemar would be sure, the groups are not."""
    groups = np.repeat([f"video {i}" for i in range(10)], 30)
    first = table(np.repeat([1.0, *[0.0] * 9], 30), group=groups)
    second = table(np.zeros(300), group=groups)
    found = compare(first, second)
    assert mcnemar(30, 0) < 1e-6
    assert found.verdict == "undecided"
    assert found.extra["test"] == "sign flips by group"


def test_fractions_and_weights_are_compared_too() -> None:
    generator = np.random.default_rng(0)
    base = generator.random(300) * 0.5
    weight = generator.random(300) + 0.5
    found = compare(table(base + 0.1, weight=weight), table(base, weight=weight))
    assert found.verdict == "b"
    assert found.difference == pytest.approx(0.1)
    assert found.low == pytest.approx(0.1)


def test_a_rare_class_that_one_run_never_met_is_no_hindrance() -> None:
    """Labels are compared by name, wherever the name stands in a run's list."""
    assert compare(A, replace(B, classes=("a",))) == compare(A, B)
    other = replace(B, classes=("rare", "b", "a"), target=np.full(100, 2), predicted=B.predicted)
    assert compare(A, other).fixed == 12
    text = replace(B, classes=(), target=np.full(100, "a"), predicted=np.full(100, "a"))
    assert compare(A, text).broken == 3


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(B, classes=("b", "a")), "label of 100 of 100"),
        (replace(B, split="test"), "dev and test"),
        (replace(B, example_id=np.array([f"z{i}" for i in range(100)])), "share 0 of 100 and 100"),
        (replace(B, target=np.r_[1, np.zeros(99, np.int64)]), "label of 1 of 100.*0000"),
    ],
)
def test_what_cannot_be_compared_says_why_with_counts(other: Predictions, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        compare(A, other)
    if other.split == A.split:
        mine, theirs = labels_digest(A), labels_digest(other)
        assert mine != theirs
        assert f"labels {mine} and {theirs}" in str(caught.value)


def test_knobs_changed_name_dotted_keys_with_both_values() -> None:
    a = {"name": "a", "training": {"l2": 0.0, "epochs": 5}, "network": {"name": "x"}}
    b = {"name": "b", "training": {"l2": 0.1, "epochs": 5}, "data": {"synthesize": {"name": "c"}}}
    assert knobs_changed(a, b) == {
        "data.synthesize.name": (None, "c"),
        "network.name": ("x", None),
        "training.l2": (0.0, 0.1),
    }
    assert "3 knobs moved" in compare(A, B, pipelines=(a, b)).extra["credit"]
    one = compare(A, B, pipelines=({"seed": 1, "k": 1}, {"seed": 2, "k": 2}))
    assert one.extra["credit"] == "k alone moved"


def test_a_part_or_a_transfer_that_only_one_has_is_one_knob() -> None:
    a = {"transfer": {"start": "4f1d", "head": "keep", "precompute": False}}
    b = {"transfer": None, "data": {"synthesize": {"name": "camera", "strength": 2}}}
    assert knobs_changed(a, b) == {
        "data.synthesize.name": (None, "camera"),
        "transfer.start": ("4f1d", None),
    }
    assert compare(A, B, pipelines=(a, {})).extra["credit"] == "transfer.start alone moved"
    other = {"transfer": {"start": "4f1d", "head": "replace", "precompute": True}}
    assert list(knobs_changed(a, other)) == ["transfer.head", "transfer.precompute"]


def source(names: str, repeats: int) -> np.ndarray:
    return np.repeat(names.split(), repeats)


def test_the_table_of_4_14_has_whatever_cells_the_data_gives() -> None:
    train = table(np.r_[np.zeros(90), np.ones(10), np.ones(20)], "train")
    train = replace(train, source=np.repeat(["web", "phone"], [100, 20]))
    train_dev = replace(table(np.repeat([0.0, 1.0], 50), "train_dev"), source=source("web web", 50))
    dev = replace(table(np.repeat([0.0, 1.0], [30, 10])), source=np.full(40, "phone"))
    known = from_memory(
        {"r": [train, train_dev, dev]},
        human=(HumanLevel(error=0.04, n=200, source="team"),),
        pipeline={"splits": {"target": "phone"}},
    )
    found = matched(known)
    cells = {(c.row, c.column): c for c in found.cells}
    assert len(cells) == 6
    assert cells["human", "general"].error == 0.04
    assert cells["human", "general"].source == "team"
    assert (cells["human", "target"].error, cells["human", "target"].why) == (
        None,
        "nobody measured it",
    )
    assert cells["trained on", "general"].error == pytest.approx(0.1)
    assert cells["trained on", "target"].n == 20
    assert cells["not trained on", "general"].error == pytest.approx(0.5)
    target = cells["not trained on", "target"]
    assert (target.error, target.n, target.source) == (0.25, 40, "dev")
    assert target.low < 0.25 < target.high
    assert found.by_source["web"][1].n == 100
    json.dumps(found.as_json(), allow_nan=False)


def test_the_table_leaves_test_out_unless_asked() -> None:
    known = from_memory({"r": [table(np.zeros(10)), table(np.ones(10), "test")]})
    assert matched(known).cell("not trained on", "target").n == 10
    assert matched(known, test=True).cell("not trained on", "target").n == 20


def test_every_empty_cell_has_a_reason() -> None:
    for known in (
        from_memory({"r": [table(np.zeros(10))]}, same_distribution=True),
        Evidence(run_ids=("r",), splits={}),
    ):
        for cell in matched(known).cells:
            assert (cell.error is None) == bool(cell.why)


def test_the_diagnosis_holds_the_table_as_plain_cells() -> None:
    train = replace(
        table(np.repeat([0.0, 1.0, 1.0], [90, 10, 20]), "train"),
        source=np.repeat(["web", "phone"], [100, 20]),
    )
    dev = replace(table(np.repeat([0.0, 1.0], [30, 10])), source=np.full(40, "phone"))
    asked = replace(table(np.ones(10), "test"), source=np.full(10, "phone"))
    known = from_memory({"r": [train, dev, asked]}, pipeline={"splits": {"target": "phone"}})
    document = json.loads(json.dumps(diagnose(known).as_json(), allow_nan=False))
    cells = {(cell["row"], cell["column"]): cell for cell in document["table"]}
    assert len(cells) == len(document["table"]) == 6
    general = cells["trained on", "general"]
    assert (general["error"], general["n"]) == (pytest.approx(0.1), 100)
    assert general["low"] < 0.1 < general["high"]
    assert general["by_source"] == {
        "web": {key: general[key] for key in ("error", "low", "high", "n")}
    }
    assert list(cells["trained on", "target"]["by_source"]) == ["phone"]
    assert cells["human", "target"]["why"] == "nobody measured it"
    assert cells["not trained on", "target"]["n"] == 40
    asked_for = {(c["row"], c["column"]): c for c in diagnose(known, test=True).extra["table"]}
    assert asked_for["not trained on", "target"]["n"] == 50


def test_one_distribution_without_sources_is_general() -> None:
    known = from_memory({"r": [table(np.zeros(10), "train")]}, same_distribution=True)
    assert matched(known).cell("trained on", "general").n == 10
    assert matched(known).cell("trained on", "target").why == "train and dev are one distribution"


def flips(fixed: int, broken: int, n: int) -> tuple[Predictions, Predictions]:
    """Two runs of which the second fixes and breaks so many of ``n`` examples."""
    rest = [0.0] * (n - fixed - broken)
    return (
        table([1.0] * fixed + [0.0] * broken + rest),
        table([0.0] * fixed + [1.0] * broken + rest),
    )


def test_a_word_where_test_and_interval_disagree() -> None:
    # 6 against 0 of 50: McNemar p = 0.031, Tango excludes 0. 5 against 0: p = 0.0625, Tango
    # (2.2 … 21.4 points) excludes 0 as well, so the two disagree and it is said.
    assert compare(*flips(6, 0, 50)).extra["says"] == ""
    edge = compare(*flips(5, 0, 50))
    assert edge.verdict == "undecided"
    assert edge.low is not None
    assert edge.low > 0
    assert "this is the edge" in edge.extra["says"]


def test_flips_are_counted_by_class_and_source_and_knobs_by_gap() -> None:
    a, b = flips(6, 2, 50)
    source = np.array(["web"] * 25 + ["phone"] * 25)
    a, b = replace(a, source=source), replace(b, source=source)
    pipelines = ({"training": {"l2": 0.0, "epochs": 3}}, {"training": {"l2": 0.1, "epochs": 6}})
    found = compare(a, b, pipelines=pipelines)
    by = found.extra["by"]
    for column in ("class", "source"):
        assert sum(one["n"] for one in by[column].values()) == 50
        assert sum(one["fixed"] for one in by[column].values()) == found.fixed
        assert sum(one["broken"] for one in by[column].values()) == found.broken
    assert found.extra["acts_on"] == {
        "training.epochs": "avoidable_bias",
        "training.l2": "variance",
    }
    assert "cannot be credited" in found.extra["credit"]
