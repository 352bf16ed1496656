"""`gapwise slices` over trained and recorded runs."""

import json
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
from gapwise.workflows.record import RecordRequest, record_file
from gapwise.workflows.slices import slice_run


def test_pictures_are_sliced_by_what_they_look_like(photo_shop: Any) -> None:
    found = slice_run(photo_shop.run, settings=photo_shop.settings)
    assert {"class", "brightness", "contrast", "sharpness"} <= set(found.columns)
    assert sum(one.n for one in found.columns["class"]) == found.n
    json.dumps(found.as_json(), allow_nan=False)


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    random = np.random.default_rng(0)
    n = 2000
    light = random.choice(["day", "night"], n)
    error = random.random(n) < np.where(light == "night", 0.4, 0.05)
    rows = pd.DataFrame({"target": 0, "predicted": error.astype(int), "light": light})
    frames = [
        rows.assign(split=split, example_id=[f"{split}{i}" for i in range(n)])
        for split in ("dev", "test")
    ]
    path = tmp_path / "p.csv"
    pd.concat(frames).to_csv(path, index=False)
    return record_file(RecordRequest(file=path, dataset="d", classes=("no", "yes")))


def test_a_weak_slice_is_named_in_one_sentence_and_as_json(run: str) -> None:
    found = slice_run(run, names=["light=day"])
    assert "One slice is surely weak; the worst is light=night" in found.says
    done = CliRunner().invoke(app, ["slices", run, "--slice", "light=day", "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    (weak,) = document["weak"]
    assert (weak["slice"], weak["confirmed"]) == ("light=night", True)
    assert weak["low"] < 0.4 < weak["high"]
    assert document["named"][0]["confirmed"] is False
    assert document["columns"]["light"][0]["value"] == "night"
    assert CliRunner().invoke(app, ["slices", run]).exit_code == 0


def test_a_look_at_test_is_counted(run: str) -> None:
    slice_run(run)
    ledger = Ledger(Settings.read().ledger_url)
    assert looks.count(ledger, "d") == 0
    slice_run(run, "test")
    assert looks.count(ledger, "d") == 1


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("dve",), UsageError, "did you mean dev"),
        (("train",), DataError, "no predictions of 'train'"),
        (("dev", ["light=noon"]), DataError, "no value 'noon'"),
    ],
)
def test_what_cannot_be_sliced_is_told(
    run: str, words: tuple[Any, ...], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        slice_run(run, *words)
