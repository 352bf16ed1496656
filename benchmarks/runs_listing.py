"""How long a list of 2,000 runs takes: ``python benchmarks/runs_listing.py``.

The runs have 20 metrics, 20 parameters and 10 tags each, and a folder each. Cold is the first list
of a fresh process (imports of pandas apart), warm the next one of the same process;
``MlflowClient.search_runs`` stands beside it.
"""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path

from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.folder import RunFolder, RunRecord

RUNS = 2000
EACH = 20
REPEATS = 7

ONE = """
import json, sys, time
import pandas
from gapwise.settings import Settings
from gapwise.tracking import frame
from gapwise.tracking.store import RunStore
store = RunStore(Settings.read())
times = []
for _ in range(2):
    begun = time.perf_counter()
    rows = store.rows()
    times.append(time.perf_counter() - begun)
assert len(rows) == int(sys.argv[1]), len(rows)
print(json.dumps(times))
"""

SEARCH = """
import json, sys, time
from gapwise.settings import Settings
from gapwise.tracking.client import connect
client = connect(Settings.read())
begun = time.perf_counter()
found, token = 0, None
while found == 0 or token:
    page = client.search_runs(["1"], max_results=1000, page_token=token)
    found, token = found + len(page), page.token
assert found == int(sys.argv[1])
print(json.dumps([time.perf_counter() - begun]))
"""


def main() -> None:
    """Print one table."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(
            Settings.read(), home=Path(folder), tracking_uri=f"sqlite:///{folder}/mlflow.db"
        )
        fill(settings)
        ours = [timed(ONE, folder) for _ in range(REPEATS)]
        theirs = [timed(SEARCH, folder)[0] for _ in range(3)]
    print(f"{RUNS} runs, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; seconds")
    print(f"{'list':<24}{'median':>8}{'least':>8}{'most':>8}{'repeats':>9}")
    columns = {
        "gapwise, cold": [cold for cold, _ in ours],
        "gapwise, warm": [warm for _, warm in ours],
        "mlflow search_runs": theirs,
    }
    for name, times in columns.items():
        middle = statistics.median(times)
        print(f"{name:<24}{middle:8.3f}{min(times):8.3f}{max(times):8.3f}{len(times):9}")


def timed(script: str, home: str) -> list[float]:
    """Run a script in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    command = [sys.executable, "-c", script, str(RUNS)]
    done = subprocess.run(
        command,
        env=environment | {"GAPWISE_HOME": home},
        capture_output=True,
        text=True,
        check=True,
    )
    times: list[float] = json.loads(done.stdout)
    return times


def fill(settings: Settings) -> None:
    """Make the runs: tables by SQL, since drains of 2,000 runs would take minutes."""
    connect(settings).create_experiment("listed")
    now = int(time.time() * 1000)
    with sqlite3.connect(settings.home / "mlflow.db") as database:
        for number in range(RUNS):
            record = RunRecord(
                run_id=uuid.uuid4().hex,
                name=f"run {number}",
                experiment="listed",
                kind="train",
                dataset="digits",
                seed=number % 5,
                status="FINISHED",
                started=now + number,
                ended=now + number + 1,
                parameters={f"training.p{i}": number * i for i in range(EACH)},
                metrics={f"metric_{i}": number / (i + 1) for i in range(EACH)},
            )
            insert(database, record)
            folder = RunFolder(settings.runs / record.run_id)
            folder.path.mkdir(parents=True)
            (folder.path / "run.json").write_text(json.dumps(vars(record)))
    database.close()


def insert(database: sqlite3.Connection, record: RunRecord) -> None:
    """Put one run into MLflow's tables."""
    run = uuid.uuid4().hex
    head = (run, record.name, "FINISHED", record.started, record.ended, "active", 1, f"file:/{run}")
    database.execute(
        "INSERT INTO runs (run_uuid, name, status, start_time, end_time, lifecycle_stage, "
        "experiment_id, artifact_uri, user_id, source_type) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'me', 'LOCAL')",
        head,
    )
    tags = {"gapwise.run": record.run_id, "gapwise.kind": "train", "gapwise.dataset": "digits"}
    tags |= {f"tag {i}": f"value {i}" for i in range(7)}
    for table, values in (("tags", tags), ("params", record.parameters)):
        rows = [(key, str(value), run) for key, value in values.items()]
        database.executemany(f"INSERT INTO {table} (key, value, run_uuid) VALUES (?, ?, ?)", rows)
    metrics = [(key, value, record.ended, 1, 0, run) for key, value in record.metrics.items()]
    database.executemany("INSERT INTO latest_metrics VALUES (?, ?, ?, ?, ?, ?)", metrics)


if __name__ == "__main__":
    main()
