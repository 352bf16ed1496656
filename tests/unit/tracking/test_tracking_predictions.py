"""The predictions table: round trip, foreign tables, and what is refused by row and column."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gapwise.errors import DataError, StorageError
from gapwise.records import Predictions
from gapwise.tracking import predictions as tables

# numpy's str drops trailing NULs, so no text that it holds ends with one.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(
    lambda text: text.rstrip("\0")
)


@st.composite
def any_predictions(draw: st.DrawFn) -> Predictions:
    n, k = draw(st.integers(0, 12)), draw(st.integers(0, 4))
    unit = st.floats(0, 1)

    def numbers(elements: Any = None, dtype: Any = np.float64) -> Any:
        return draw(hnp.arrays(dtype, n, elements=elements))

    def text() -> Any:
        return np.array(draw(st.lists(texts, min_size=n, max_size=n)), dtype=np.str_)

    def names(least: int) -> Any:
        return draw(st.lists(texts.filter(bool), min_size=n, max_size=n, unique=least > 0))

    labels = st.integers(0, max(k - 1, 0)) if k else st.integers(-5, 5)
    return Predictions(
        split=draw(st.sampled_from(["train", "train_dev", "dev", "test"])),
        example_id=np.array(names(1), dtype=np.str_),
        target=numbers(labels, np.int64),
        predicted=numbers(labels, np.int64),
        error=numbers(unit),
        weight=numbers(st.floats(0, 1e6)) + 0.5,  # all 0 is refused
        classes=tuple(f"class {i}" for i in range(k)),
        loss=numbers(st.floats(allow_nan=True)) if draw(st.booleans()) else None,
        scores=draw(hnp.arrays(np.float32, (n, k), elements=st.floats(-9, 9, width=32)))
        if k and draw(st.booleans())
        else None,
        source=text() if draw(st.booleans()) else None,
        group=text() if draw(st.booleans()) else None,
        media=text() if draw(st.booleans()) else None,
        metadata={"age": numbers(unit), "who": text()} if draw(st.booleans()) else {},
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[*HealthCheck])
@given(predictions=any_predictions())
def test_what_is_written_is_read(tmp_path: Path, predictions: Predictions) -> None:
    path = tmp_path / "predictions" / "x.parquet"
    tables.write(path, predictions, media_root="/pictures")
    found = tables.read(path)
    assert found.split == predictions.split
    assert found.classes == predictions.classes
    assert tables.read_media_root(path) == "/pictures"
    assert set(found.metadata) == set(predictions.metadata)
    for name, values in vars(predictions).items():
        if isinstance(values, np.ndarray):
            if name == "scores" and not len(values):
                continue  # no row tells how many scores it has
            np.testing.assert_array_equal(getattr(found, name), values, strict=name != "example_id")
        elif values is None:
            assert getattr(found, name) is None
    for name, values in predictions.metadata.items():
        np.testing.assert_array_equal(found.metadata[name], values)


def table(**columns: Any) -> "pa.Table":
    plain = {
        "example_id": ["a", "b", "c"],
        "target": [0, 1, 1],
        "predicted": [0, 1, 0],
        "error": [0.0, 0.0, 1.0],
    }
    kept = {name: values for name, values in (plain | columns).items() if values is not None}
    return pa.table(kept)


def written(tmp_path: Path, content: "pa.Table", name: str = "dev.parquet") -> Path:
    pq.write_table(content, tmp_path / name)
    return tmp_path / name


def test_the_columns_are_those_of_the_contract(tmp_path: Path) -> None:
    text = np.array(["x", "y"])
    predictions = Predictions(
        split="dev",
        example_id=text,
        target=np.array([0, 1]),
        predicted=np.array([1, 1]),
        error=np.array([1.0, 0.0]),
        weight=np.ones(2),
        classes=("no", "yes"),
        loss=np.zeros(2),
        scores=np.zeros((2, 2), np.float32),
        source=text,
        group=text,
        media=text,
        metadata={"age": np.array([3, 4])},
    )
    tables.write(tmp_path / "dev.parquet", predictions)
    schema = pq.read_schema(tmp_path / "dev.parquet")
    assert {name: str(schema.field(name).type) for name in schema.names} == {
        "example_id": "string",
        "source": "string",
        "group": "string",
        "media": "string",
        "weight": "double",
        "target": "int64",
        "predicted": "int64",
        "error": "double",
        "loss": "double",
        "scores": "list<element: float>",
        "age": "int64",
    }


def test_a_foreign_table_needs_no_optional_column(tmp_path: Path) -> None:
    found = tables.read(written(tmp_path, table(hospital=["x", "y", None])))
    assert found.split == "dev"
    assert found.weight.tolist() == [1.0, 1.0, 1.0]
    assert (found.loss, found.scores, found.source, found.group, found.media) == (None,) * 5
    assert found.metadata["hospital"].tolist() == ["x", "y", ""]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_foreign_kinds_of_text_and_numbers(tmp_path: Path, kind: "pa.DataType") -> None:
    content = table(
        source=pa.array(["scan", None, "phöne"]).cast(kind),
        target=pa.array([0, 1, 1], pa.int8()),
        error=pa.array([0, 0, 1], pa.float32()),
        scores=pa.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], pa.list_(pa.float64(), 2)),
    )
    found = tables.read(written(tmp_path, content))
    assert found.source is not None
    assert found.source.tolist() == ["scan", "", "phöne"]
    assert found.target.dtype == np.int64
    assert found.scores is not None
    assert found.scores.tolist() == [[1, 0], [0, 1], [0.5, 0.5]]


def test_class_names_become_positions_where_the_table_names_classes(tmp_path: Path) -> None:
    content = table(target=["cat", "dog", "dog"], predicted=["cat", "dog", "cat"])
    labelled = content.replace_schema_metadata({"gapwise.classes": '["dog", "cat"]'})
    assert tables.read(written(tmp_path, labelled)).target.tolist() == [1, 0, 0]
    assert tables.read(written(tmp_path, content)).target.tolist() == ["cat", "dog", "dog"]
    wrong = table(target=["cat", "dgo", "dog"]).replace_schema_metadata(labelled.schema.metadata)
    with pytest.raises(DataError, match=r"row 2: target 'dgo' is no class; did you mean dog"):
        tables.read(written(tmp_path, wrong))


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"error": [0.0, 1.5, 0.0]}, "row 2: error is 1.5; it must lie in [0, 1]"),
        ({"error": [0.0, 0.0, -0.1]}, "row 3: error is -0.1"),
        ({"error": [0.0, None, 0.0]}, "row 2: error is nan"),
        ({"error": ["0", "1", "1"]}, "column 'error' is string; it must hold numbers"),
        ({"weight": [1.0, float("inf"), 1.0]}, "row 2: weight is inf"),
        ({"weight": [1.0, 1.0, -1.0]}, "row 3: weight is -1.0"),
        ({"weight": [0.0, 0.0, 0.0]}, "the weights of dev are all 0"),
        ({"example_id": ["a", "b", "a"]}, "rows 1 and 3: example_id 'a' stands twice"),
        ({"example_id": ["a", None, "c"]}, "row 2: example_id is empty"),
        ({"target": [0, None, 1]}, "row 2: target is empty"),
        ({"target": [0.0, float("nan"), 1.0]}, "row 2: target is nan"),
        ({"scores": [[0.5, 0.5], [1.0], [0.0, 1.0]]}, "row 2: scores has 1 entries, row 1 has 2"),
        ({"scores": [[0.5], [float("nan")], [0.0]]}, "row 2: scores"),
        ({"scores": [0.5, 0.1, 0.0]}, "column 'scores' is double; it must hold lists"),
        ({"error": None}, "has no column 'error'"),
        ({"example_id": None, "exampleid": ["a", "b", "c"]}, "did you mean exampleid"),
    ],
)
def test_a_wrong_table_is_told_by_row_and_column(
    tmp_path: Path, columns: dict[str, Any], told: str
) -> None:
    path = written(tmp_path, table(**columns))
    with pytest.raises(DataError, match=re.escape(told)) as refused:
        tables.read(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_label_beyond_the_classes_is_refused(tmp_path: Path) -> None:
    labels = {"gapwise.classes": '["a", "b"]'}
    content = table(predicted=[0, 1, 2]).replace_schema_metadata(labels)
    with pytest.raises(DataError, match="row 3: predicted is 2"):
        tables.read(written(tmp_path, content))


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing.parquet is no file"):
        tables.read(tmp_path / "missing.parquet")
    (tmp_path / "dev.parquet").write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(DataError, match="is no Parquet file"):
        tables.read(tmp_path / "dev.parquet")
    whole = written(tmp_path, table(), "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="is no Parquet file"):
        tables.read(tmp_path / "cut.parquet")


def test_chosen_columns_alone_are_read_and_checked(tmp_path: Path) -> None:
    content = table(example_id=["a", "a", "a"], source=["x", "y", "x"], age=[1, 2, 3])
    found = tables.read(written(tmp_path, content), ["error", "source", "weight", "age"])
    assert len(found) == 3
    assert found.error.tolist() == [0.0, 0.0, 1.0]
    assert found.source is not None
    assert found.source.tolist() == ["x", "y", "x"]
    assert found.example_id.tolist() == ["", "", ""]
    assert found.metadata["age"].tolist() == [1, 2, 3]
    with pytest.raises(DataError, match=r"has no column 'ages'; it has example_id"):
        tables.read(tmp_path / "dev.parquet", ["ages"])


def test_a_failed_write_leaves_the_old_table(tmp_path: Path) -> None:
    path = written(tmp_path, table())
    before = path.read_bytes()
    good = tables.read(path)
    with pytest.raises(DataError, match="row 1: error is 2"):
        tables.write(path, replace(good, error=np.array([2.0, 0.0, 0.0])))
    with pytest.raises(DataError, match="weight has 2 entries for 3 examples"):
        tables.write(path, replace(good, weight=np.ones(2)))
    assert path.read_bytes() == before
    with pytest.raises(StorageError, match=re.escape(str(path / "x.parquet"))):
        tables.write(path / "x.parquet", good)
