"""Predictions under other labels, in memory and in Arrow, and every run re-scored."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from gapwise.diagnostics.reading import classes_of, read_splits
from gapwise.diagnostics.relabelled import in_table, relabelled
from gapwise.diagnostics.rescore import Rescored, RunPaths, rescore
from gapwise.errors import DataError
from gapwise.records import Predictions
from gapwise.tracking import predictions as tables

CLASSES = ("cat", "dog", "cow")


def predictions(said: str, true: str, split: str = "dev", scores: bool = True) -> Predictions:
    places = {"a": 0, "b": 1, "c": 2}
    target, predicted = (np.array([places[x] for x in text]) for text in (true, said))
    n = len(target)
    known = np.full((n, 3), 0.1, np.float32)
    known[np.arange(n), predicted] = 0.8
    return Predictions(
        split=split,
        example_id=np.array([f"{split}{row}" for row in range(n)]),
        target=target,
        predicted=predicted,
        error=(target != predicted).astype(float),
        weight=np.ones(n),
        classes=CLASSES,
        scores=known if scores else None,
        loss=-np.log(known[np.arange(n), target].astype(float)),
    )


def test_errors_losses_and_labels_follow_the_review() -> None:
    table = predictions("aabb", "abba")
    now = relabelled(table, {"dev1": "cat", "dev0": "dog", "elsewhere": "cow", "dev2": "dog"})
    assert now.target.tolist() == [1, 0, 1, 0]
    assert now.error.tolist() == [1, 0, 0, 1]
    assert now.loss is not None
    assert now.loss[:2] == pytest.approx([-np.log(0.1), -np.log(0.8)])
    assert table.error.tolist() == [0, 1, 0, 1]
    assert relabelled(table, {}) is table
    assert relabelled(table, {"dev0": "cat"}) is table


def test_a_class_that_the_network_never_met_makes_an_error() -> None:
    now = relabelled(predictions("aa", "aa"), {"dev0": "horse"})
    assert now.classes == (*CLASSES, "horse")
    assert now.error.tolist() == [1, 0]
    assert now.scores is not None
    assert now.scores.shape == (2, 4)
    unscored = relabelled(predictions("aa", "aa", scores=False), {"dev0": "horse"})
    assert unscored.loss is not None
    assert np.isnan(unscored.loss[0])


def written(folder: Path, table: Predictions, name: str = "p") -> Path:
    path = folder / f"{name}-{table.split}.parquet"
    tables.write(path, table)
    return path


@pytest.mark.parametrize(
    "labels", [{}, {"dev1": "cat"}, {"dev0": "horse", "dev3": "dog", "x": "cat"}]
)
def test_arrow_and_memory_agree(tmp_path: Path, labels: dict[str, str]) -> None:
    table = predictions("aabb", "abba")
    path = written(tmp_path, table)
    arrow = in_table(pq.read_table(path), labels, CLASSES)
    assert arrow.column("error").to_pylist() == relabelled(table, labels).error.tolist()
    (found,) = read_splits({"dev": [path]}, relabels=labels)[0]["dev"]
    assert found.rate == relabelled(table, labels).error.mean()


def test_a_table_without_classes_stays(tmp_path: Path) -> None:
    bare = pq.read_table(written(tmp_path, predictions("ab", "aa"))).replace_schema_metadata(None)
    assert classes_of(bare) == ()
    assert in_table(bare, {"dev0": "dog"}, ()) is bare


def rescored(tmp_path: Path, before: dict[str, str], after: dict[str, str]) -> Rescored:
    runs = []
    for name, said in (("one", "aaaaaaab"), ("two", "aaaaaabb")):
        paths = {
            "dev": written(tmp_path, predictions(said, "aaaaaaaa"), name),
            "test": written(tmp_path, predictions(said, "aaaaaaaa", "test"), name),
        }
        runs.append(RunPaths(run_id=name, name=name, paths=paths))
    return rescore(runs, (before, after), revisions=(0, 3))


def test_ranks_and_the_winner_change_with_the_labels(tmp_path: Path) -> None:
    found = rescored(tmp_path, {}, {"dev6": "dog", "dev7": "dog", "test6": "dog"})
    assert (found.winner_before, found.winner_after) == (("one",), ("two",))
    assert found.winner_changed
    two, one = found.runs
    assert (two.rank_before, two.rank_after, one.rank_after) == (2, 1, 2)
    assert [rung.error for rung in two.before] == [0.25, 0.25]
    assert [rung.error for rung in two.after] == [0.0, 0.125]
    assert two.changed == {"dev": 2, "test": 1}
    assert found.by_split == {"dev": 2, "test": 1}
    assert "The best run changes: two instead of one." in found.says
    assert found.warns == ""
    assert found.as_json()["winner_changed"] is True


def test_a_lopsided_fix_is_told(tmp_path: Path) -> None:
    found = rescored(tmp_path, {"dev0": "cat"}, {"dev0": "dog"})
    assert found.warns == "Only dev was corrected: dev and test are no longer of one distribution."
    assert not found.winner_changed
    assert "The best run stays one." in found.says


def test_dev_and_test_alone_make_an_artificial_mismatch(tmp_path: Path) -> None:
    paths = {
        split: written(tmp_path, predictions("aab", "aaa", split))
        for split in ("train_dev", "dev", "test")
    }
    run = RunPaths(run_id="r", name="r", paths=paths)
    after = {"dev0": "dog", "test0": "dog"}
    found = rescore([run], ({}, after), revisions=(0, 1))
    assert "artificial data mismatch" in found.warns
    mended = rescore([run], ({}, after | {"train_dev0": "dog"}), revisions=(0, 1))
    assert mended.warns == ""


def test_runs_without_the_split_are_refused(tmp_path: Path) -> None:
    run = RunPaths(run_id="r", name="r", paths={})
    with pytest.raises(DataError, match="no run has predictions of dev"):
        rescore([run], ({}, {}), revisions=(0, 0))
