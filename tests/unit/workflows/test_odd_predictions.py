"""Odd predictions are survived by everything that reads them: plain JSON, or one sentence."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import DataError
from gapwise.settings import Settings
from gapwise.workflows.record import RecordRequest, record_file

CLASSES = ("a", "b", "c", "d")
SPLITS = ("train", "train_dev", "dev", "test")


def columns(n: int, split: str, wrong: float, classes: int = 4) -> dict[str, Any]:
    generator = np.random.default_rng(n)
    target = np.arange(n) % classes
    error = generator.random(n) < wrong
    predicted = np.where(error, (target + 1) % 4, target)
    scores = np.full((n, 4), 0.1)
    scores[np.arange(n), predicted] = 0.7
    return {
        "split": [split] * n,
        "example_id": [f"{split}{i}" for i in range(n)],
        "target": target,
        "predicted": predicted,
        "scores": [list(map(float, row)) for row in scores],
        "light": ["day", "night"] * (n // 2) + ["day"] * (n % 2),
    }


CASES: dict[str, Any] = {
    "one class": lambda split: columns(60, split, 0.2, classes=1),
    "one example": lambda split: columns(1, split, 0.0),
    "all right": lambda split: columns(60, split, 0.0),
    "all wrong": lambda split: columns(60, split, 1.0),
    "few examples": lambda split: columns(12, split, 0.3),
}
COMMANDS = (
    ("diagnose", "A"),
    ("diagnose", "A", "--test"),
    ("diagnose", "A", "--by", "class"),
    ("diagnose", "A", "--by", "source"),
    ("slices", "A"),
    ("mismatch", "A"),
    ("compare", "A", "B"),
    ("check", "A", "--against", "B"),
    ("select",),
    ("select", "--optimize", "f1_macro"),
    ("metric", "--weigh", "a->b=10"),
)


@pytest.fixture(params=CASES, ids=str)
def recorded(
    request: pytest.FixtureRequest, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Record a case twice."""
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    runs = {}
    for name in ("A", "B"):
        tables = [pa.table(CASES[request.param](split)) for split in SPLITS]
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.concat_tables(tables), path)
        request_ = RecordRequest(file=path, dataset="d", classes=CLASSES, run_name=name)
        runs[name] = record_file(request_, settings=Settings.read())
    return runs


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_everything_is_survived(recorded: dict[str, str], words: tuple[str, ...]) -> None:
    named = [recorded.get(word, word) for word in words]
    done = CliRunner().invoke(app, [*named, "--json"], standalone_mode=False)
    if done.exception is not None:
        assert type(done.exception).__name__ in ("DataError", "UsageError"), done.exception
        return
    document = json.loads(done.stdout)
    json.dumps(document, allow_nan=False)


def test_scores_that_are_no_number_are_refused_by_row(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "nan.parquet"
    pq.write_table(pa.table(columns(60, "dev", 0.2) | {"scores": [[math.nan] * 4] * 60}), path)
    with pytest.raises(DataError, match=r"row 1: scores is .*; every score must be finite"):
        record_file(RecordRequest(file=path, dataset="d", classes=CLASSES))


def test_few_examples_are_told(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "few.parquet"
    pq.write_table(pa.table(columns(12, "dev", 0.3)), path)
    run = record_file(RecordRequest(file=path, dataset="d", classes=CLASSES))
    document = json.loads(CliRunner().invoke(app, ["diagnose", run, "--json"]).stdout)
    said = [one["says"] for one in document["findings"] if one["diagnostic"] == "small-samples"]
    assert said == ["Dev has 12 examples only, fewer than 30: its error says little."]
