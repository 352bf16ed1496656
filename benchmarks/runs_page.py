"""The page *Runs* over 2,000 runs: seconds of its script, cold (new caches) and warm.

    python -m benchmarks.runs_page [--runs 2000] [--repeats 5]

The runs are real: made by MLflow's client in an SQLite store, 10 metrics and 30 parameters each.
"""

import argparse
import os
import statistics
import tempfile
import time
import uuid
from pathlib import Path

PAGE = Path(__file__).parents[1] / "dashboards" / "pages" / "decide_2_runs.py"
COLD, WARM = 1.0, 0.3


def main() -> None:
    """Print the table; exit 1 when a limit is not held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GAPWISE_HOME"] = folder
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        fill(options.runs)
        cold, warm = measure(options.repeats)
    print(f"| Runs, {options.runs:,} runs | median s | spread s | limit s |")
    print("| --- | --- | --- | --- |")
    for name, seconds, limit in (("cold", cold, COLD), ("warm", warm, WARM)):
        spread = max(seconds) - min(seconds)
        print(f"| {name} | {statistics.median(seconds):.3f} | {spread:.3f} | {limit} |")
    held = statistics.median(cold) < COLD and statistics.median(warm) < WARM
    raise SystemExit(0 if held else 1)


def fill(count: int, database: str = "") -> None:
    """Write runs as a training does: ours in name and tags, MLflow's in all else.

    Where a tracking server is set, ``database`` is its own: by requests 2,000 runs take minutes.
    """
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    from gapwise.settings import Settings
    from gapwise.tracking.client import connect

    client = connect(Settings.read())
    experiments = [client.create_experiment(f"pipeline-{i}") for i in range(8)]
    client = MlflowClient(database) if database else client
    for number in range(count):
        group = uuid.uuid5(uuid.NAMESPACE_OID, str(number // 5)).hex
        tags = {
            "gapwise.run": uuid.uuid4().hex,
            "gapwise.kind": "train",
            "gapwise.dataset": "digits",
            "gapwise.seed": str(number % 5),
            "gapwise.group": group,
            "gapwise.files": "none",
        }
        run = client.create_run(
            experiments[number // 5 % 8], start_time=1000 * (number + 1), run_name=f"run-{number}"
        )
        names = ["train_error", "dev_error", *(f"metric_{i}" for i in range(8))]
        metrics = [Metric(name, (number % 97) / 200, 0, 1) for name in names]
        params = [Param(f"section.key_{i}", str(number * i)) for i in range(30)]
        run_tags = [RunTag(name, value) for name, value in tags.items()]
        client.log_batch(run.info.run_id, metrics, params, run_tags)
        client.set_terminated(run.info.run_id, "FINISHED", 1000 * (number + 1) + 900)


def measure(repeats: int) -> tuple[list[float], list[float]]:
    """Return seconds of the page's script with empty caches, and right after."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    # One session, for the test harness takes 0.3 s to start one; its first run imports everything.
    page = AppTest.from_file(str(PAGE), default_timeout=60).run()
    cold: list[float] = []
    warm: list[float] = []
    for _ in range(repeats):
        st.cache_data.clear()
        st.cache_resource.clear()
        for seconds in (cold, warm):
            began = time.perf_counter()
            page.run()
            seconds.append(time.perf_counter() - began)
            if page.exception or page.error or not page.dataframe:
                raise SystemExit("the page shows no table")
    return cold, warm


if __name__ == "__main__":
    main()
