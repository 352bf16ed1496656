"""Parquet to evidence: the same sums as from memory, and one sentence for what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gapwise.diagnostics.errors_by_split import from_predictions
from gapwise.diagnostics.evidence import read
from gapwise.diagnostics.ladder import diagnose
from gapwise.diagnostics.reading import read_splits
from gapwise.errors import DataError
from gapwise.records import Predictions
from gapwise.tracking import predictions as tables


def made(n: int = 200, seed: int = 0, **columns: object) -> Predictions:
    generator = np.random.default_rng(seed)
    target = np.arange(n) % 3
    wrong = generator.random(n) < 0.3
    values = {
        "split": "dev",
        "example_id": np.array([f"é{i}" for i in range(n)]),
        "target": target,
        "predicted": (target + wrong) % 3,
        "error": wrong.astype(float),
        "weight": np.ones(n),
        "classes": ("a", "b", "c"),
        "source": np.where(np.arange(n) % 4 == 0, "phone", "scan"),
    }
    return Predictions(**(values | columns))


CASES = {
    "counts": made(),
    "groups": made(group=np.array([f"g{i // 7}" for i in range(200)])),
    "some without a group": made(group=np.array([f"g{i // 7}" * (i > 99) for i in range(200)])),
    "weights": made(weight=np.linspace(0.5, 2, 200)),
    "fractions": made(error=np.linspace(0, 1, 200)),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reading_gives_what_memory_gives(tmp_path: Path, case: str) -> None:
    path = tmp_path / "dev.parquet"
    tables.write(path, CASES[case])
    splits, classes = read_splits({"dev": [path]})
    ours, theirs = splits["dev"][0], from_predictions(CASES[case])
    assert classes == ("a", "b", "c")
    assert (ours.n, ours.rate, ours.wrong) == (theirs.n, pytest.approx(theirs.rate), theirs.wrong)
    assert ours.interval == theirs.interval or (
        ours.interval.low == pytest.approx(theirs.interval.low)
        and ours.interval.high == pytest.approx(theirs.interval.high)
    )
    assert ours.groups == theirs.groups
    assert ours.by_class == theirs.by_class
    assert {name: part.rate for name, part in ours.by_source.items()} == pytest.approx(
        {name: part.rate for name, part in theirs.by_source.items()}
    )


def test_independent_errors_of_unit_weight_collapse_to_counts(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    tables.write(path, made())
    (errors,) = read_splits({"dev": [path]})[0]["dev"]
    assert errors.wrong == int(made().error.sum())
    assert errors.clusters is None


@pytest.mark.parametrize("shuffled", [False, True])
def test_seeds_are_matched_on_disk_too(tmp_path: Path, shuffled: bool) -> None:
    order = np.random.default_rng(1).permutation(200) if shuffled else np.arange(200)
    second = made(seed=1)
    moved = made(
        seed=1,
        **{
            name: getattr(second, name)[order]
            for name in ("example_id", "target", "predicted", "error", "source")
        },
    )
    for name, predictions in {"a": made(), "b": moved, "c": second}.items():
        tables.write(tmp_path / name / "dev.parquet", predictions)
    paths = {name: tmp_path / name / "dev.parquet" for name in "abc"}
    ours = diagnose(read(run_ids=("a", "b"), paths={"dev": [paths["a"], paths["b"]]}))
    theirs = diagnose(read(run_ids=("a", "b"), paths={"dev": [paths["a"], paths["c"]]}))
    assert ours.ladder[-1].error == pytest.approx(theirs.ladder[-1].error)
    assert ours.ladder[-1].low == pytest.approx(theirs.ladder[-1].low, abs=0.005)


def test_the_bare_minimum_is_a_column_of_errors(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    pq.write_table(pa.table({"error": [0, 1, 1, 0]}), path)
    (errors,) = read_splits({"dev": [path]})[0]["dev"]
    assert (errors.n, errors.wrong, errors.by_source, errors.by_class) == (4, 2, {}, {})


def test_targets_that_are_no_classes_are_no_classes(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    pq.write_table(pa.table({"error": [0.5, 0.2], "target": [1.25, 3.5]}), path)
    assert read_splits({"dev": [path]})[0]["dev"][0].by_class == {}


def test_an_empty_file_leaves_the_split_out(tmp_path: Path) -> None:
    path = tmp_path / "train_dev.parquet"
    pq.write_table(pa.table({"error": pa.array([], pa.float64())}), path)
    assert read_splits({"train_dev": [path]}) == ({}, ())


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"wrong": [1]}, "no column 'error'"),
        ({"error": [0.0, None]}, "row 2: error is nan"),
        ({"error": [0.0, 2.0]}, "row 2: error is 2.0"),
    ],
)
def test_wrong_tables_are_named(tmp_path: Path, columns: dict[str, object], words: str) -> None:
    path = tmp_path / "dev.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(DataError, match=words) as raised:
        read_splits({"dev": [path]})
    assert "dev.parquet" in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"no parquet at all", None])
def test_files_that_are_no_parquet_are_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "dev.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"dev\.parquet cannot be read"):
        read_splits({"dev": [path]})


def test_reading_and_diagnosing_import_neither_torch_nor_pandas(tmp_path: Path) -> None:
    path = tmp_path / "dev.parquet"
    tables.write(path, CASES["some without a group"])
    code = (
        "import json, sys; from pathlib import Path\n"
        "from gapwise.diagnostics import evidence, ladder\n"
        "known = evidence.read(run_ids=('a',), paths={'dev': [Path(sys.argv[1])]})\n"
        "ladder.diagnose(known)\n"
        "print(json.dumps([m for m in ('torch', 'pandas', 'mlflow') if m in sys.modules]))"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
