"""`gapwise ceiling` on tables and recorded runs, and the example of docs/ceiling.md."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import DataError, UsageError
from gapwise.ledger import looks
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.workflows.ceiling import CeilingRequest, ceiling
from gapwise.workflows.record import RecordRequest, record_file

PAGE = (Path(__file__).parents[3] / "docs" / "ceiling.md").read_text(encoding="utf-8")
N = 600


def visits() -> pd.DataFrame:
    """Return 600 visits: 66 wrong at the end, 15 of them also when the face is framed by hand."""
    row = np.arange(N)
    target = np.take(["anna", "ben", "cleo"], row % 3)
    wrong = np.take(["ben", "cleo", "anna"], row % 3)
    return pd.DataFrame(
        {
            "example_id": [f"visit-{i:04d}" for i in row],
            "target": target,
            "predicted": np.where(row < 66, wrong, target),
            "predicted_perfect_find": np.where(row < 15, wrong, target),
            "correct_find": (~((row >= 15) & (row < 70))).astype(int),
            "correct_tell": (row >= 66).astype(int),
        }
    )


def write(folder: Path, frame: pd.DataFrame) -> CeilingRequest:
    frame.to_csv(folder / "visits.csv", index=False)
    return CeilingRequest(source=str(folder / "visits.csv"))


def test_the_example_of_the_page_says_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    write(tmp_path, visits())
    (command,) = re.findall(r"^gapwise (ceiling visits.*)$", PAGE, re.MULTILINE)
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == 0
    said = re.sub(r"\s+", " ", done.stdout)
    (block,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    for line in filter(str.strip, block.splitlines()):
        cells = re.split(r"\s{2,}", line.strip())
        assert " ".join(cells) in said
    (header,) = re.findall(r"```csv\n(.*?)\n", PAGE)
    assert header.split(",") == list(visits())


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("stated", [(), ("find", "tell")])
def test_a_table_gives_the_document(tmp_path: Path, suffix: str, stated: Any) -> None:
    frame = visits().assign(split="dev")
    frame = pd.concat([frame, frame.head(9).assign(split="train")])
    path = tmp_path / f"t{suffix}"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    words = ["ceiling", str(path), "--json"]
    words += ["--steps", ",".join(stated)] if stated else []
    done = CliRunner().invoke(app, words)
    document = json.loads(done.stdout)
    assert document["steps"] == ["find", "tell"]
    assert (document["n"], document["first"], document["decided"]) == (N, "find", True)
    assert [s["error"] for s in document["settings"]] == pytest.approx([0.11, 0.025])
    assert [g["gain"] for g in document["gains"]] == pytest.approx([0.085, 0.025])
    assert [(b["step"], b["count"]) for b in document["blame"]] == [
        ("find", 51),
        ("tell", 15),
        ("no step", 0),
    ]
    assert document["blame"][0]["forgiven"] == 4


def test_errors_groups_and_weights_are_read(tmp_path: Path) -> None:
    frame = visits()[["example_id"]].assign(error=0.5, error_perfect_find=0.25)
    frame["group"] = ["" if i % 2 else f"video {i % 40}" for i in range(N)]
    frame["weight"] = 1 + np.arange(N) % 2
    found = ceiling(write(tmp_path, frame))
    assert found.steps == ("find", "the rest")
    assert [s.error for s in found.settings] == pytest.approx([0.5, 0.25])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"predicted_perfect_find": None}, "row 2: predicted_perfect_find is empty"),
        ({"correct_find": 2}, "row 2: correct_find is '2'; write 1 where"),
        ({"error": 1.5}, "row 2: error is '1.5'; write a number from 0 to 1"),
        ({"error": "much"}, "write a number from 0 to 1"),
        ({"weight": -1}, "write a number from 0 on"),
        ({"example_id": "one"}, "row 3: example_id 'one' stands twice"),
        ({"split": "train"}, "no row of dev"),
    ],
)
def test_what_a_table_must_not_hold_is_told(
    tmp_path: Path, change: dict[str, object], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        ceiling(write(tmp_path, visits().assign(**change)))


def test_columns_and_steps_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'example_id'"):
        ceiling(write(tmp_path, visits().drop(columns="example_id")))
    with pytest.raises(DataError, match="neither a column 'error' nor"):
        ceiling(write(tmp_path, visits().drop(columns="predicted")))
    request = write(tmp_path, visits())
    with pytest.raises(UsageError, match="did you mean fnd"):
        ceiling(CeilingRequest(source=request.source, steps=("fnd", "tell")))
    with pytest.raises(UsageError, match="is no file"):
        ceiling(CeilingRequest(source="visits.cvs"))


def recorded(folder: Path, name: str, wrong: int, splits: tuple[str, ...] = ("dev",)) -> str:
    frame = visits()[["example_id", "target"]]
    others = np.take(["ben", "cleo", "anna"], np.arange(N) % 3)
    frame["predicted"] = np.where(np.arange(N) < wrong, others, frame["target"])
    path = folder / f"{name}.csv"
    pd.concat([frame.assign(split=split) for split in splits]).to_csv(path, index=False)
    return record_file(RecordRequest(file=path, run_name=name, dataset="visits"))


def test_recorded_runs_are_judged_on_what_they_share(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    for name, wrong in (("system", 66), ("framed", 15), ("both", 3)):
        recorded(tmp_path, name, wrong, ("dev", "test"))
    words = ["ceiling", "system", "--perfect", "find=framed", "--perfect", "find+tell=both"]
    document = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert document["steps"] == ["find", "tell"]
    assert [g["gain"] for g in document["gains"]] == pytest.approx([0.085, 0.02])
    assert not any(g["implied"] for g in document["gains"])
    assert document["first"] == "find"
    ledger = Ledger(Settings.read().ledger_url)
    assert looks.count(ledger, "visits") == 0
    assert CliRunner().invoke(app, [*words, "--split", "test"]).exit_code == 0
    assert looks.count(ledger, "visits") == 1
    with pytest.raises(UsageError, match="is not STEP=RUN"):
        ceiling(CeilingRequest(source="system", perfect=("framed",)))
    with pytest.raises(UsageError, match="did you mean framed"):
        ceiling(CeilingRequest(source="system", perfect=("find=framd",)))
