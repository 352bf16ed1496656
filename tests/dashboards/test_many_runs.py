"""B3: the page *Runs* over 10,000 runs."""

import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from gapwise.settings import Settings
from gapwise.tracking.client import connect

RUNS = 10_000


@pytest.fixture
def many(home: Path) -> Path:
    """A store of 10,000 finished runs, by SQL: through MLflow's client they would take minutes."""
    home.mkdir()
    settings = Settings.read()
    experiment = connect(settings).create_experiment("many")
    runs = [uuid.UUID(int=number).hex for number in range(1, RUNS + 1)]
    with sqlite3.connect(home / "mlflow.db") as database:
        database.executemany(
            "INSERT INTO runs (run_uuid, name, status, start_time, end_time, lifecycle_stage, "
            "experiment_id, artifact_uri, user_id, source_type) "
            f"VALUES (?, ?, 'FINISHED', ?, ?, 'active', {int(experiment)}, ?, 'me', 'LOCAL')",
            [(run, f"run {i}", i, i + 1, f"file:/{run}") for i, run in enumerate(runs)],
        )
        tags = {"gapwise.kind": "train", "gapwise.dataset": "digits", "gapwise.seed": "1"}
        database.executemany(
            "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
            [
                (key, text, run)
                for run in runs
                for key, text in (tags | {"gapwise.run": run}).items()
            ],
        )
        database.executemany(
            "INSERT INTO latest_metrics VALUES ('dev_error', ?, 1, 1, 0, ?)",
            [(i / RUNS, run) for i, run in enumerate(runs)],
        )
    database.close()
    return home


@pytest.mark.usefixtures("many")
def test_b3_ten_thousand_runs_open_and_are_searched(page: Callable[..., AppTest]) -> None:
    test = page("runs")
    assert not test.exception
    assert not test.error
    assert any("10,000 runs, 10,000 finished" in str(text.value) for text in test.markdown)
    assert len(test.dataframe[0].value) == RUNS
    test.text_input(key="find").set_value("run 9999").run()
    assert not test.exception
    assert any("1 run, 1 finished" in str(text.value) for text in test.markdown)
