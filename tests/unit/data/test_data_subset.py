"""Subsets of a training set: nested, of the size asked for, and whole prepared data."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from gapwise.data import prepared
from gapwise.data.assignment import Assignment, digest_of
from gapwise.data.normalisation import mean_and_deviation
from gapwise.data.subset import kept, subset
from gapwise.records import ExampleSet


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return prepared.write(tmp_path_factory.mktemp("data") / "whole-0", *digits())


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    examples, drawn = digits()
    groups = np.array([f"writer {i // 13}" for i in range(len(examples))])
    folder = tmp_path_factory.mktemp("data") / "grouped-0"
    return prepared.write(folder, replace(examples, groups=groups), drawn)


def digits():
    data = load_digits()
    count = len(data.target)
    ids = np.array([str(i) for i in range(count)])
    examples = ExampleSet(
        name="digits",
        inputs=np.rint(data.images * 15).astype(np.uint8)[:, None],
        targets=data.target.astype(np.int64),
        classes=tuple("0123456789"),
        ids=ids,
        sources=np.full(count, "scan"),
    )
    split = np.where(np.arange(count) < 1300, "train", np.where(np.arange(count) < 1600, "dev", ""))
    return examples, Assignment(split=split, cuts={}, digest=digest_of(ids, split))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 1299), st.integers(1, 1299), st.integers(0, 5))
def test_a_larger_subset_contains_a_smaller_one(whole, one, other, seed) -> None:
    small, large = (kept(whole, size, seed) for size in sorted((one, other)))
    assert small.sum() == min(one, other)
    assert not (small & ~large).any()


def test_classes_keep_their_shares(whole) -> None:
    train = whole.targets[whole.indices("train")]
    few = train[kept(whole, 100, 3)]
    assert np.abs(np.bincount(few, minlength=10) - np.bincount(train) * 100 / 1300).max() < 2


def test_it_is_prepared_data_with_less_to_train_on(whole) -> None:
    part = subset(whole, 200, 1)
    again = prepared.open(part.folder)
    assert len(again.indices("train")) == 200
    assert np.array_equal(again.indices("dev"), whole.indices("dev"))
    assert np.array_equal(again.inputs, whole.inputs)
    mean, deviation = mean_and_deviation(whole.inputs, again.indices("train"))
    assert np.array_equal(again.normalisation[0], mean)
    assert np.array_equal(again.normalisation[1], deviation)
    assert subset(whole, 200, 1).folder == part.folder


def test_seeds_and_sizes_are_other_data(whole) -> None:
    digests = {subset(whole, n, seed).digest for n, seed in ((100, 0), (100, 1), (101, 0))}
    assert len(digests | {whole.digest}) == 4


def test_all_of_it_is_the_data_itself(whole) -> None:
    assert subset(whole, 1300, 0) is whole


@pytest.mark.parametrize("size", [1, 13, 100, 650, 1299])
def test_groups_come_whole_and_nested(grouped, size) -> None:
    part = kept(grouped, size, 2)
    names = grouped.groups[grouped.indices("train")]
    assert not set(names[part]) & set(names[~part])
    assert abs(part.sum() - size) <= 13
    assert part.sum() > 0
    assert not (part & ~kept(grouped, min(1299, 2 * size), 2)).any()


def test_without_links_files_are_copied(whole, monkeypatch) -> None:
    def refused(*_args):
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refused)
    part = subset(whole, 77, 9)
    assert np.array_equal(prepared.open(part.folder).inputs, whole.inputs)
