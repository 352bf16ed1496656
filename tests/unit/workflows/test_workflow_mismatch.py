"""`gapwise mismatch` over trained and recorded runs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import DataError
from gapwise.settings import Settings
from gapwise.statistics.auc import Auc
from gapwise.workflows.mismatch import Mismatch, mismatch_run
from gapwise.workflows.record import RecordRequest, record_file
from gapwise.workflows.train import train


def test_a_camera_is_seen_in_what_the_network_sees(home: Path) -> None:
    trained = train("digits", ["training.epochs=2"], settings=Settings.read())
    found = mismatch_run(trained.run_ids[0], settings=Settings.read())
    assert (found.before, found.n_after) == ("train_dev", 400)
    assert found.told_apart is not None
    assert found.told_apart.low > 0.7
    assert "what the network's last layer sees" in found.says[0]
    assert [one.column for one in found.numbers[:2]] == ["contrast", "sharpness"]
    assert found.names[0].column == "source"
    assert found.says[-1] == "source differs: phone is 10.8 % of train-dev and 100.0 % of dev."
    json.dumps(found.as_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("low", "area", "high", "says"),
    [
        (0.45, 0.5, 0.55, "hardly differ"),
        (0.89, 0.92, 0.95, "they differ in what"),
        (0.4, 0.6, 0.8, "too few examples to tell"),
    ],
)
def test_the_area_is_said_as_far_as_its_interval_allows(
    low: float, area: float, high: float, says: str
) -> None:
    found = Mismatch(
        run_id="r", before="train_dev", n_before=9, n_after=9, features="its inputs",
        told_apart=Auc(area, low, high), numbers=(), names=(), diversity=(),
    )  # fmt: skip
    assert says in found.says[0]


def test_files_tell_their_size(photo_shop: Any) -> None:
    found = mismatch_run(photo_shop.run, settings=photo_shop.settings)
    assert {"pixels", "aspect", "brightness"} <= {one.column for one in found.numbers}


def test_rows_are_compared_by_their_inputs(row_shop: Any) -> None:
    found = mismatch_run(row_shop.run, settings=row_shop.settings)
    assert found.told_apart is not None
    assert found.before in found.as_json()["before"]


def record(tmp_path: Path, splits: tuple[str, ...]) -> str:
    random = np.random.default_rng(0)
    frames = [
        pd.DataFrame(
            {
                "target": 0,
                "predicted": random.integers(0, 2, 300),
                "light": random.choice(
                    ["day", "night"], 300, p=[0.9, 0.1] if s == "train" else None
                ),
                "split": s,
                "example_id": [f"{s}{i}" for i in range(300)],
            }
        )
        for s in splits
    ]
    path = tmp_path / "p.csv"
    pd.concat(frames).to_csv(path, index=False)
    return record_file(RecordRequest(file=path, dataset="d", classes=("no", "yes")))


def test_of_a_recorded_run_the_columns_speak(home: Path, tmp_path: Path) -> None:
    run = record(tmp_path, ("train", "dev"))
    shown = CliRunner().invoke(app, ["mismatch", run])
    assert shown.exit_code == 0, shown.output
    assert "light" in shown.stdout
    found = mismatch_run(run)
    assert (found.before, found.told_apart, found.features) == ("train", None, "")
    assert found.names[0].apart == pytest.approx(0.4, abs=0.1)


def test_a_run_without_dev_is_told(home: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no predictions of 'dev'"):
        mismatch_run(record(tmp_path, ("train",)))
