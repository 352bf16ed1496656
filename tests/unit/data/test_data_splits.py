"""The draw: groups never straddle, adding data moves nobody, counts are exact and stratified."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapwise.data.cuts import save_cuts
from gapwise.data.splits import assign
from gapwise.errors import DataError
from gapwise.pipeline import Splits
from gapwise.records import ExampleSet


def example_set(count, classes=3, sources=("all",), groups=None, start=0, seed=0):
    random = np.random.default_rng(seed)
    names = np.array([f"id/{i}" for i in range(start, start + count)])
    return ExampleSet(
        name="made",
        inputs=random.integers(0, 256, (count, 1, 2, 2), dtype=np.uint8),
        targets=random.integers(0, classes, count),
        classes=tuple("abcdefgh"[:classes]),
        ids=names,
        sources=np.array(sources)[random.integers(0, len(sources), count)],
        groups=None if groups is None else np.array([f"g{i}" for i in groups]),
    )


def more_of(examples, extra):
    """Examples with ``extra`` behind them."""
    joined = {
        name: np.concatenate([getattr(examples, name), getattr(extra, name)])
        for name in ("inputs", "targets", "ids", "sources")
    }
    groups = None
    if examples.groups is not None:
        groups = np.concatenate([examples.groups, extra.groups])
    return replace(examples, groups=groups, **joined)


def counts_of(assignment):
    return {name: len(assignment.indices(name)) for name in ("train", "train_dev", "dev", "test")}


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(40, 200),
    dev=st.integers(0, 15),
    test=st.integers(0, 15),
    train_dev=st.integers(0, 10),
    joining=st.one_of(st.just("rest"), st.integers(0, 10)),
    seed=st.integers(0, 9),
)
def test_counts_are_exact_and_everybody_stands_once(count, dev, test, train_dev, joining, seed):
    examples = example_set(count, seed=seed)
    splits = Splits(
        dev=dev,
        test=test,
        train_dev=min(train_dev, 0 if joining == 0 else 10),
        seed=seed,
        target_in_train=joining,
    )
    if isinstance(joining, int) and splits.train_dev > joining:
        with pytest.raises(DataError, match="train_dev"):
            assign(examples, splits)
        return
    found = counts_of(assign(examples, splits))
    assert (found["dev"], found["test"], found["train_dev"]) == (dev, test, splits.train_dev)
    expected = count - dev - test if joining == "rest" else joining
    assert found["train"] + found["train_dev"] == expected


@settings(max_examples=60, deadline=None)
@given(count=st.integers(60, 300), dev=st.integers(1, 30), seed=st.integers(0, 20))
def test_counts_are_stratified_by_largest_remainder(count, dev, seed):
    examples = example_set(count, classes=4, seed=seed)
    assignment = assign(examples, Splits(dev=dev, test=0, train_dev=0, seed=seed))
    held = np.bincount(examples.targets[assignment.indices("dev")], minlength=4)
    exact = dev * np.bincount(examples.targets, minlength=4) / count
    assert np.all(np.abs(held - exact) < 1)


@settings(max_examples=60, deadline=None)
@given(
    groups=st.lists(st.integers(0, 25), min_size=30, max_size=150),
    dev=st.one_of(st.integers(1, 10), st.floats(0.05, 0.3)),
    target=st.sampled_from([None, "phone"]),
    seed=st.integers(0, 9),
)
def test_groups_never_straddle(groups, dev, target, seed):
    sources = ("phone", "scan")
    examples = example_set(len(groups), sources=sources, groups=groups, seed=seed)
    if target and (examples.sources == target).sum() < 25:
        return
    splits = Splits(dev=dev, test=dev, train_dev=0.2, target=target, seed=seed)
    assignment = assign(examples, splits)
    for group in set(groups):
        stands = set(assignment.split[examples.groups == f"g{group}"]) - {""}
        assert len(stands) <= 1


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(30, 120),
    extra=st.integers(1, 80),
    shares=st.tuples(st.floats(0, 0.3), st.floats(0, 0.3), st.floats(0, 0.5)),
    grouped=st.booleans(),
    seed=st.integers(0, 9),
)
def test_adding_data_moves_nobody_under_shares(count, extra, shares, grouped, seed):
    groups = [i // 3 for i in range(count)] if grouped else None
    later = [1000 + i // 3 for i in range(extra)] if grouped else None
    first = example_set(count, groups=groups, seed=seed)
    added = more_of(first, example_set(extra, groups=later, start=5000, seed=seed + 1))
    dev, test, train_dev = shares
    splits = Splits(dev=dev, test=test, train_dev=train_dev, seed=seed)
    before, after = assign(first, splits), assign(added, splits)
    assert np.array_equal(before.split, after.split[:count])


@settings(max_examples=30, deadline=None)
@given(count=st.integers(60, 150), extra=st.integers(1, 100), seed=st.integers(0, 9))
def test_adding_data_moves_nobody_under_saved_cuts(tmp_path_factory, count, extra, seed):
    path = tmp_path_factory.mktemp("cuts") / "cuts.json"
    first = example_set(count, sources=("scan", "phone"), seed=seed)
    added = more_of(
        first, example_set(extra, classes=5, sources=("phone", "new"), start=5000, seed=seed + 1)
    )
    added = replace(added, classes=tuple("abcde"))
    splits = Splits(dev=8, test=7, train_dev=9, target="phone", target_in_train=3, seed=seed)
    before = assign(first, splits)
    save_cuts(path, before)
    pinned = splits.model_copy(update={"cuts": str(path)})
    assert np.array_equal(assign(first, pinned).split, before.split)
    assert np.array_equal(assign(added, pinned).split[:count], before.split)


def test_without_saved_cuts_added_data_may_move_somebody():
    splits = Splits(dev=8, test=7, train_dev=9)
    first = example_set(60)
    added = more_of(first, example_set(60, start=5000, seed=1))
    assert not np.array_equal(assign(first, splits).split, assign(added, splits).split[:60])


def test_shares_are_drawn_of_the_asked_size():
    examples = example_set(20_000)
    found = counts_of(assign(examples, Splits(dev=0.2, test=0.1, train_dev=0.25)))
    assert found["dev"] == pytest.approx(4000, rel=0.05)
    assert found["test"] == pytest.approx(2000, rel=0.07)
    assert found["train_dev"] == pytest.approx(0.7 * 0.25 * 20_000, rel=0.05)


def test_order_of_the_examples_does_not_matter():
    examples = example_set(200)
    order = np.random.default_rng(1).permutation(200)
    shuffled = replace(
        examples,
        **{n: getattr(examples, n)[order] for n in ("inputs", "targets", "ids", "sources")},
    )
    splits = Splits(dev=20, test=20, train_dev=20)
    one, other = assign(examples, splits), assign(shuffled, splits)
    assert np.array_equal(one.split[order], other.split)
    assert one.digest == other.digest


def test_another_seed_draws_others():
    examples = example_set(200)
    one = assign(examples, Splits(dev=20, test=20, seed=0))
    other = assign(examples, Splits(dev=20, test=20, seed=1))
    assert not np.array_equal(one.split, other.split)
    assert one.digest != other.digest


def test_dev_and_test_come_from_the_target_and_train_dev_has_the_mix_of_training():
    """Notes 4.13: 200 web and 10 mobile pictures of the cats, in hundreds."""
    examples = example_set(2100, classes=2)
    sources = np.array(["web"] * 2000 + ["mobile"] * 100)
    examples = replace(examples, sources=sources)
    splits = Splits(dev=25, test=25, target="mobile", target_in_train=50, train_dev=205)
    assignment = assign(examples, splits)
    for name in ("dev", "test"):
        assert set(examples.sources[assignment.indices(name)]) == {"mobile"}
    held = examples.sources[assignment.indices("train_dev")]
    assert (held == "mobile").sum() == 5
    assert (held == "web").sum() == 200
    assert len(assignment.indices("train")) == 2050 - 205


def test_more_than_there_is_names_the_numbers():
    with pytest.raises(DataError, match=r"dev 30 \+ test 40.*70.*target holds 50"):
        assign(example_set(50), Splits(dev=30, test=40))


def test_a_count_and_a_share_beyond_the_target_are_refused():
    with pytest.raises(DataError, match="ask for 65 examples"):
        assign(example_set(50), Splits(dev=40, test=0.5))


def test_unknown_target_names_the_nearest():
    examples = example_set(50, sources=("scan", "phone"))
    with pytest.raises(DataError, match="did you mean phone"):
        assign(examples, Splits(target="phnoe"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no file of cuts"),
        ('{"seed": 0, "target": null, "cuts": {}}', "no file of cuts"),
        (
            '{"seed": 3, "target": null, "cuts": {"test":{},"dev":{},"target_in_train":{},'
            '"train_dev":{}}}',
            "drawn with seed 3",
        ),
        (
            '{"seed": 0, "target": null, "cuts": {"test":{"*":7},"dev":{},"target_in_train":{},'
            '"train_dev":{}}}',
            "outside 0 to 1",
        ),
    ],
)
def test_damaged_cuts_are_refused(tmp_path, content, message):
    path = tmp_path / "cuts.json"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        assign(example_set(50), Splits(cuts=str(path)))


def test_missing_cuts_are_named(tmp_path):
    with pytest.raises(DataError, match="there is no"):
        assign(example_set(50), Splits(cuts=str(tmp_path / "none.json")))


def test_d14_empty_train_dev_is_a_named_warning():
    notes = assign(example_set(50), Splits(train_dev=0)).notes
    assert any("train-dev is empty" in note for note in notes)


def test_d14_class_missing_in_dev_is_a_named_warning():
    examples = example_set(100)
    targets = np.where(np.arange(100) < 97, 0, 1)
    examples = replace(examples, targets=targets, classes=("cat", "dog"))
    notes = assign(examples, Splits(dev=5, test=5, train_dev=5)).notes
    assert any("dev has no example of class 'dog'" in note for note in notes)


def test_d14_one_class_only_is_a_named_warning():
    examples = example_set(100)
    examples = replace(examples, targets=np.zeros(100, dtype=np.int64))
    assert any("one class" in note for note in assign(examples, Splits()).notes)


def test_a_whole_draw_has_no_warnings():
    assert assign(example_set(300), Splits(dev=30, test=30, train_dev=30)).notes == ()


def test_groups_that_break_a_count_are_told():
    examples = example_set(100, groups=[i // 10 for i in range(100)])
    notes = assign(examples, Splits(dev=13, test=0, train_dev=0)).notes
    assert any("asks for 13 examples and holds 10" in note for note in notes)
