"""Predictions made elsewhere: read, checked, recorded, diagnosed."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gapwise.errors import DataError, UsageError
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.foreign import by_split
from gapwise.workflows.record import RecordRequest, parse_human, record_file


def table(n: int = 40, wrong: int = 10) -> pd.DataFrame:
    rows = []
    for split in ("train", "dev"):
        for i in range(n):
            target = i % 2
            predicted = 1 - target if i < wrong else target
            rows.append((f"{split}-{i}", split, target, 1.0 - predicted, float(predicted)))
    columns = ["example_id", "split", "target", "score_cat", "score_dog"]
    return pd.DataFrame(rows, columns=columns, index=range(2, len(rows) + 2))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_scores_give_predictions_and_errors(home: Path, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"predictions{suffix}"
    frame = table()
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    run_id = record_file(RecordRequest(file=path, human=("0.05:200",), dataset="pets"))
    document = diagnose_runs([run_id]).as_json()
    rungs = {rung["rung"]: rung for rung in document["ladder"]}
    assert rungs["dev"]["error"] == 0.25
    assert rungs["human"]["n"] == 200
    assert document["gaps"][0]["name"] == "avoidable_bias"


def test_integer_targets_index_the_named_classes() -> None:
    dev = by_split(table(), (), "t.csv")["dev"]
    assert dev.classes == ("cat", "dog")
    assert set(dev.target) == {0, 1}


def test_integer_targets_that_are_class_names_are_looked_up() -> None:
    frame = table().rename(columns={"score_cat": "score_1", "score_dog": "score_0"})
    dev = by_split(frame, (), "t.csv")["dev"]
    assert dev.classes == ("1", "0")
    assert dev.target[:2].tolist() == [1, 0]
    lists = table().drop(columns=["score_cat", "score_dog"])
    lists["scores"] = [[0.9, 0.1]] * len(lists)
    assert by_split(lists, ("1", "0"), "t")["dev"].target[:2].tolist() == [1, 0]
    assert by_split(lists, (), "t")["dev"].target[:2].tolist() == [0, 1]


def test_targets_that_are_no_classes_need_an_error_of_their_own() -> None:
    frame = table()[["example_id", "split"]].assign(target=2.5, error=0.25)
    dev = by_split(frame, (), "t.csv")["dev"]
    assert dev.classes == ()
    assert dev.error.mean() == 0.25
    with pytest.raises(DataError, match=r"t\.csv, row 42: target '2\.5' is a number that is"):
        by_split(frame.drop(columns="error").assign(predicted=2.5).tail(40), (), "t.csv")


def test_the_classes_of_our_own_parquet_are_kept(home: Path, tmp_path: Path) -> None:
    names = tuple(str(i) for i in range(12))
    frame = pd.DataFrame({"example_id": ["a", "b"], "split": "dev", "target": ["2", "11"]})
    frame["scores"] = [[float(i == 2) for i in range(12)], [float(i == 11) for i in range(12)]]
    labels = {b"gapwise.classes": json.dumps(names).encode()}
    written = pa.Table.from_pandas(frame).replace_schema_metadata(labels)
    pq.write_table(written, tmp_path / "t.parquet")
    record_file(RecordRequest(file=tmp_path / "t.parquet"))
    assert diagnose_runs(["latest"]).ladder[0].error == 0


def test_a_scores_column_of_lists_is_read() -> None:
    frame = table()
    frame["scores"] = list(frame[["score_cat", "score_dog"]].to_numpy())
    dev = by_split(frame.drop(columns=["score_cat", "score_dog"]), ("cat", "dog"), "t")["dev"]
    assert dev.scores.shape == (40, 2)
    assert dev.error.sum() == 10


def test_further_columns_stay_for_slicing() -> None:
    dev = by_split(table().assign(camera="front", weight=2), (), "t.csv")["dev"]
    assert set(dev.metadata) == {"camera"}
    assert np.all(dev.weight == 2)


def test_l1_an_unknown_class_names_its_neighbours() -> None:
    frame = table().assign(target=lambda f: np.where(f["target"] == 0, "cat", "dgo"))
    with pytest.raises(DataError, match=r"'dgo' is no class; did you mean dog"):
        by_split(frame, ("cat", "dog"), "t.csv")


def test_l3_a_class_out_of_range_names_its_row() -> None:
    frame = table()
    frame.loc[5, "target"] = 7
    with pytest.raises(DataError, match=r"t\.csv, row 5: target '7' is no class"):
        by_split(frame, (), "t.csv")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"split": "validation"}, "row 2: split 'validation' is not known; write dev"),
        ({"split": "tets"}, "did you mean test"),
        ({"split": None}, "row 2: split is empty"),
        ({"target": None}, "row 2: target is empty"),
        ({"example_id": ""}, "row 2: example_id is empty"),
        ({"weight": 0}, "weights of train are all 0"),
        ({"weight": -1}, "t.csv, row 2: weight is -1.0"),
        ({"error": 1.5}, "error"),
        ({"error": "much"}, "is no number"),
        ({"example_id": "same"}, "same"),
    ],
)
def test_what_must_not_be_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(DataError, match=says):
        by_split(table().assign(**change), (), "t.csv")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="no column 'split'"):
        by_split(table().drop(columns="split"), (), "t.csv")


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(DataError, match="no rows"):
        by_split(table().head(0), (), "t.csv")


@pytest.mark.parametrize("text", ["x", "1.2", "0.1:0", "0.1:5:dev", ":5"])
def test_a_human_level_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="ERROR"):
        parse_human(text)


def test_a_human_level_states_error_n_and_distribution() -> None:
    level = parse_human("0.165:1000:target")
    assert (level.error, level.n, level.distribution) == (0.165, 1000, "target")
