"""The training set judged by networks that did not see it; suspects by several means."""

from typing import Any

import pytest

from gapwise.data import prepared
from gapwise.data.folds import HELD_OUT, fold
from gapwise.errors import UsageError
from gapwise.settings import Settings
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
    for folds in (1, 0, -1, 10**400):
        with pytest.raises(UsageError, match=r"--folds .*: write 2 or more"):
            fold(whole, 0, folds)


def test_train_is_judged_out_of_sample_and_no_fold_is_trained_twice(photo_shop: Any) -> None:
    settings: Settings = photo_shop.settings
    store = RunStore(settings)
    before, latest = len(store.rows()), store.open("latest").run_id
    found = suspects(photo_shop.run, means=Means(folds=2), settings=settings).found
    assert len(store.rows()) == before + 3
    whole = tables.read(store.open(photo_shop.run).needed_predictions("train"), split="train")
    assert {one.example_id for one in found} == set(whole.example_id.tolist())
    assert {one.split for one in found} == {"train"}
    again = suspects(photo_shop.run, means=Means(folds=2), settings=settings).found
    assert again == found
    assert len(store.rows()) == before + 3
    assert store.open("latest").run_id == latest  # parts of the data are passed over
    folds = store.open(f"{store.open(photo_shop.run).name}-folds")
    picture = example_pictures.of_run(folds, store, "train")
    assert picture(found[0].example_id) is not None


def test_several_runs_speak_together(photo_shop: Any) -> None:
    settings: Settings = photo_shop.settings
    alone = suspects(photo_shop.run, ["dev"], settings=settings).found
    both = suspects(
        photo_shop.run, ["dev"], means=Means(also=(photo_shop.run,)), settings=settings
    ).found
    assert [one.example_id for one in both] == [one.example_id for one in alone]


def test_a_run_made_elsewhere_has_no_folds(photo_shop: Any) -> None:
    settings: Settings = photo_shop.settings
    folds = f"{RunStore(settings).open(photo_shop.run).name}-folds"
    suspects(photo_shop.run, means=Means(folds=2), settings=settings)
    with pytest.raises(UsageError, match="was not trained here"):
        suspects(folds, means=Means(folds=2), settings=settings)


def test_a_score_that_is_none_is_told(photo_shop: Any) -> None:
    with pytest.raises(UsageError, match="--score 'confidnce' is not known; did you mean conf"):
        suspects(photo_shop.run, means=Means(score="confidnce"), settings=photo_shop.settings)
