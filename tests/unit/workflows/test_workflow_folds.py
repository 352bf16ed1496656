"""The training set judged by networks that did not see it; suspects by several means."""

from typing import Any

import numpy as np
import pytest

from gapwise.data import prepared
from gapwise.data.folds import HELD_OUT, fold
from gapwise.errors import UsageError
from gapwise.settings import Settings
from gapwise.statistics.suspicion import label_shares, together
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows import example_pictures
from gapwise.workflows.example_pictures import prepared_folder
from gapwise.workflows.suspects import Means, suspects


def test_every_training_example_is_held_out_once(photo_shop: Any) -> None:
    store = RunStore(photo_shop.settings)
    folder = prepared_folder(store.open(photo_shop.run), store)
    assert folder is not None
    whole = prepared.open(folder)
    train = set(whole.ids[whole.indices("train")].tolist())
    held: list[str] = []
    for number in range(3):
        part = fold(whole, number, 3)
        out = part.ids[part.indices(HELD_OUT)].tolist()
        inside = set(part.ids[part.indices("train")].tolist())
        assert inside | set(out) == train
        assert not inside & set(out)
        assert part.indices("dev").tolist() == whole.indices("dev").tolist()
        held += out
    assert sorted(held) == sorted(train)
    with pytest.raises(UsageError, match="--folds 1: write 2 or more"):
        fold(whole, 0, 1)


def test_train_is_judged_out_of_sample_and_no_fold_is_trained_twice(photo_shop: Any) -> None:
    settings: Settings = photo_shop.settings
    store = RunStore(settings)
    before = len(store.rows())
    found = suspects(photo_shop.run, means=Means(folds=2), settings=settings).found
    assert len(store.rows()) == before + 3
    whole = tables.read(store.open(photo_shop.run).needed_predictions("train"), split="train")
    assert {one.example_id for one in found} == set(whole.example_id.tolist())
    assert {one.split for one in found} == {"train"}
    again = suspects(photo_shop.run, means=Means(folds=2), settings=settings).found
    assert again == found
    assert len(store.rows()) == before + 3
    assert store.open("latest").run_id == photo_shop.run
    folds = store.open(f"{store.open(photo_shop.run).name}-folds")
    picture = example_pictures.of_run(folds, store, "train")
    assert picture(found[0].example_id) is not None


def test_several_runs_and_neighbours_speak_together(photo_shop: Any) -> None:
    settings: Settings = photo_shop.settings
    alone = suspects(photo_shop.run, ["dev"], settings=settings).found
    both = suspects(
        photo_shop.run, ["dev"], means=Means(also=(photo_shop.run,)), settings=settings
    ).found
    assert [one.example_id for one in both] == [one.example_id for one in alone]
    near = suspects(photo_shop.run, ["dev"], means=Means(neighbours=True), settings=settings).found
    assert {one.example_id for one in near} == {one.example_id for one in alone}
    assert [one.suspicion for one in near] != [one.suspicion for one in alone]


def test_a_run_made_elsewhere_has_no_folds(photo_shop: Any) -> None:
    settings: Settings = photo_shop.settings
    folds = f"{RunStore(settings).open(photo_shop.run).name}-folds"
    suspects(photo_shop.run, means=Means(folds=2), settings=settings)
    with pytest.raises(UsageError, match="was not trained here"):
        suspects(folds, means=Means(folds=2), settings=settings)


def test_neighbours_vote_by_closeness_and_none_for_itself() -> None:
    known = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    given = np.array([0, 0, 1])
    shares = label_shares(np.array([[1.0, 0.05], [0.0, 2.0]]), known, given, 3, neighbours=2)
    assert shares[0].tolist() == [1.0, 0.0, 0.0]
    assert shares[1].argmax() == 1
    own = label_shares(known, known, given, 3, neighbours=1, itself=True)
    assert own[0].tolist() == [1.0, 0.0, 0.0]
    assert own[2].argmax() == 0  # its only neighbours are of class 0
    far = label_shares(np.array([[-1.0, -1.0]]), known, given, 3)
    assert far[0] == pytest.approx([1 / 3] * 3)


def test_together_is_the_mean() -> None:
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert together([a, a], [b]).tolist() == [[pytest.approx(2 / 3), pytest.approx(1 / 3)]]
