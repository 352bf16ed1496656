"""Equal and nearly equal inputs across splits."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gapwise.data import near
from gapwise.data.assignment import Assignment, digest_of
from gapwise.data.datasets.folder import folder
from gapwise.data.duplicates import find, resolve
from gapwise.data.splits import assign
from gapwise.errors import DataError
from gapwise.pipeline import Splits
from gapwise.records import ExampleSet


def rows(values, splits, labels=None):
    ids = np.array([f"r{i}" for i in range(len(values))])
    examples = ExampleSet(
        name="made",
        inputs=np.array(values, dtype=np.float32)[:, None],
        targets=np.array(labels or [0] * len(values)),
        classes=("a", "b"),
        ids=ids,
        sources=np.full(len(values), "s"),
    )
    split = np.array(splits)
    return examples, Assignment(split=split, cuts={}, digest=digest_of(ids, split))


def test_d4_the_same_image_bytes_in_two_splits_stop(context, pictures):
    root = pictures(40)
    for index in range(0, 40, 2):
        shutil.copy(root / "dog" / f"{index:03d}.png", root / "dog" / f"copy{index:03d}.png")
    examples = folder(context, path="pictures")
    assignment = assign(examples, Splits(dev=0.3, test=0.2, train_dev=0.2))
    report = find(examples, assignment)
    assert report.count > 5
    with pytest.raises(DataError, match=r"dog/.*png in \w+ and dog/.*png in \w+ .*sha256 \w{16}"):
        resolve(examples, assignment, "stop")
    dropped = resolve(examples, assignment, "drop")
    assert find(examples, dropped).count == 0
    assert (dropped.split == "").sum() == report.examples
    assert dropped.digest != assignment.digest


def test_d4_stop_names_both_rows_and_the_digest():
    examples, assignment = rows([1, 2, 3, 2], ["train", "train", "dev", "dev"])
    with pytest.raises(DataError, match=r"r1 in train and r3 in dev are the same input \(sha256 "):
        resolve(examples, assignment, "stop")


def test_d4_drop_takes_out_of_train_and_keeps_the_judges():
    values = [1, 1, 2, 2, 3, 3, 4, 4]
    splits = ["train", "test", "dev", "train", "train_dev", "dev", "train", "train_dev"]
    examples, assignment = rows(values, splits)
    kept = resolve(examples, assignment, "drop")
    assert kept.split.tolist() == ["", "test", "dev", "", "", "dev", "", "train_dev"]
    assert any("4 examples are left out" in note for note in kept.notes)


def test_d4_allow_leaves_them_and_says_so():
    examples, assignment = rows([1, 1], ["train", "dev"])
    kept = resolve(examples, assignment, "allow")
    assert np.array_equal(kept.split, assignment.split)
    assert any("1 inputs stand in more than one split" in note for note in kept.notes)


def test_duplicates_inside_a_split_or_left_out_are_no_leak():
    examples, assignment = rows([1, 1, 2, 2], ["train", "train", "dev", ""])
    assert resolve(examples, assignment, "stop") is assignment


def test_minus_zero_is_zero():
    examples, assignment = rows([0.0, -0.0], ["train", "dev"])
    assert find(examples, assignment).count == 1


def test_labels_that_disagree_are_told():
    examples, assignment = rows([1, 1], ["train", "dev"], labels=[0, 1])
    assert not find(examples, assignment).groups[0].labels_agree


def image_pair(change):
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (30, 8, 8), dtype=np.uint8)
    images = np.stack(
        [np.asarray(Image.fromarray(s).resize((32, 32), Image.Resampling.BICUBIC)) for s in small]
    )[:, None]
    inputs = np.concatenate([images, change(images.astype(float)).clip(0, 255).astype(np.uint8)])
    ids = np.array([f"i{i}" for i in range(60)])
    examples = ExampleSet(
        name="made",
        inputs=inputs,
        targets=np.zeros(60, dtype=np.int64),
        classes=("a",),
        ids=ids,
        sources=np.full(60, "s"),
    )
    split = np.array(["train"] * 30 + ["dev"] * 30)
    return examples, Assignment(split=split, cuts={}, digest=digest_of(ids, split))


def test_near_duplicates_are_found_with_their_partner():
    report = near.near_pairs(*image_pair(lambda images: images * 0.98 + 2))
    assert report.count == 30
    assert all(int(p.id[1:]) == int(p.train_id[1:]) + 30 for p in report.pairs)


def test_other_pictures_and_equal_ones_are_no_near_duplicates():
    assert near.near_pairs(*image_pair(lambda images: images[::-1])).count == 0
    assert near.near_pairs(*image_pair(lambda images: images)).count == 0
    assert near.near_pairs(*image_pair(lambda images: images * 0.5)).count == 0


def test_near_search_is_bounded_and_says_what_it_looked_at(monkeypatch):
    monkeypatch.setattr(near, "MOST_COMPARISONS", 300)
    report = near.near_pairs(*image_pair(lambda images: images * 0.98 + 2))
    assert (report.looked_at, report.of, report.count) == (10, 30, 10)


def test_rows_have_no_near_duplicates():
    examples, assignment = rows([1, 2], ["train", "dev"])
    assert find(replace(examples), assignment).near.count == 0
