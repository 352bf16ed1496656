"""Predictions of numbers and of several labels: what is written is read, what is wrong is named."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gapwise.errors import DataError
from gapwise.labels import Labels
from gapwise.records import Predictions
from gapwise.tracking import predictions as tables
from gapwise.tracking.parameters import flat

PRICES = Labels(kind="number", names=("price",), unit="dollars")
PEOPLE = Labels(
    kind="several",
    names=("income", "class"),
    classes=(("low", "high"), ('say "so"', "ärmer", "null")),
)


def made(labels: Labels, target: list, predicted: list, **columns) -> Predictions:
    kind = np.float32 if labels.kind == "number" else np.int64
    n = len(target)
    return Predictions(
        split="dev",
        example_id=np.array([f"e{i}" for i in range(n)]),
        target=np.array(target, dtype=kind),
        predicted=np.array(predicted, dtype=kind),
        error=np.full(n, 0.25),
        weight=np.ones(n),
        labels=labels,
        **columns,
    )


def test_numbers_stand_as_doubles_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    tables.write(path, made(PRICES, [0.1, -3e30, 5], [1, 2, 3]))
    schema = pq.read_schema(path)
    assert schema.field("target").type == schema.field("predicted").type == pa.float64()
    found = tables.read(path)
    assert found.labels == PRICES
    assert found.target.tolist() == [float(np.float32(0.1)), float(np.float32(-3e30)), 5.0]
    assert found.predicted.tolist() == [1.0, 2.0, 3.0]


def test_several_labels_are_json_of_class_names_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    target, predicted = [[1, 2], [0, -1], [-1, 0], [1, 1]], [[1, 2], [0, 0], [1, 0], [0, 1]]
    wrong = {"error_income": np.array([0.0, 0.0, np.nan, 1.0])}
    tables.write(path, made(PEOPLE, target, predicted, metadata=wrong))
    cells = pq.read_table(path)["target"].to_pylist()
    assert json.loads(cells[1]) == {"income": "low", "class": None}
    assert json.loads(cells[0]) == {"income": "high", "class": "null"}
    assert json.loads(cells[2]) == {"income": None, "class": 'say "so"'}
    found = tables.read(path)
    assert found.labels == PEOPLE
    assert found.target.tolist() == target
    assert found.predicted.tolist() == predicted
    assert np.array_equal(found.metadata["error_income"], wrong["error_income"], equal_nan=True)


def test_no_rows_come_back_too(tmp_path: Path) -> None:
    empty = made(PEOPLE, [], [])
    empty = Predictions(
        **{**vars(empty), "target": np.empty((0, 2), int), "predicted": np.empty((0, 2), int)}
    )
    tables.write(tmp_path / "dev.parquet", empty)
    found = tables.read(tmp_path / "dev.parquet")
    assert len(found) == 0
    assert found.target.shape == (0, 2)


def test_columns_that_are_not_wanted_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    tables.write(path, made(PEOPLE, [[1, 2]], [[1, 2]]))
    assert tables.read(path, columns=["error"]).error.tolist() == [0.25]


def test_a_table_that_nobody_described_holds_numbers_where_it_holds_doubles(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    columns = {"example_id": ["a"], "target": [1.5], "predicted": [2.0], "error": [0.25]}
    pq.write_table(pa.table(columns), path)
    assert tables.read(path).labels.kind == "number"


@pytest.mark.parametrize(
    ("labels", "target", "predicted", "says"),
    [
        (PRICES, [1, np.nan], [1, 2], r"row 2: target is nan; it must be finite"),
        (PRICES, [1, 2], [np.inf, 2], r"row 1: predicted is inf; it must be finite"),
        (PEOPLE, [[0, 3]], [[0, 0]], r"row 1: target is 3; label class must be a position among 3"),
        (PEOPLE, [[0, -1]], [[0, -1]], r"row 1: predicted is -1; label class must be"),
        (PEOPLE, [[0]], [[0]], r"target has 1 columns for 2 labels"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, labels, target, predicted, says) -> None:
    with pytest.raises(DataError, match=says):
        tables.write(tmp_path / "dev.parquet", made(labels, target, predicted))
    assert not (tmp_path / "dev.parquet").exists()


@pytest.mark.parametrize(
    "cell",
    ["", "high", "[1, 2]", '{"income": "high"}', '{"income": "huge", "class": null}', "1", "null"],
)
def test_a_cell_that_is_no_such_object_is_named_with_its_row(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "dev.parquet"
    tables.write(path, made(PEOPLE, [[1, 2], [0, 0]], [[1, 2], [0, 0]]))
    table = pq.read_table(path)
    broken = [table["target"][0].as_py(), cell]
    table = table.set_column(table.column_names.index("target"), "target", pa.array(broken))
    pq.write_table(table, path)
    with pytest.raises(DataError, match=r"row 2: target is .*wanted is a class, or null"):
        tables.read(path)


def test_parameters_whose_keys_are_names_from_data_stay_one_value() -> None:
    pipeline = {"task": {"class_weights": {">50K": 3.0, "a/b": 1}, "name": "classify"}}
    assert flat(pipeline) == {
        "task.class_weights": {">50K": 3.0, "a/b": 1},
        "task.name": "classify",
    }
    assert flat({"task": {"class_weights": {"fraud": 3.0}}}) == {"task.class_weights.fraud": 3.0}
