"""Re-score 200 stored runs of 20,000 predictions under two label revisions (goal: under 3 s).

python -m benchmarks.rescore
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from gapwise.ledger import labels
from gapwise.ledger.ledger import Ledger
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows.rescore import rescore_runs

RUNS = 200
ROWS = 20_000
RELABELLED = 500
REPEATS = 5


def main() -> None:
    """Print how long it takes, and how far the runs moved."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(
            home=home,
            cache=home / "cache",
            tracking_uri=f"sqlite:///{home}/mlflow.db",
            ledger_url=f"sqlite:///{home}/ledger.db",
            mirror=False,
        )
        generator = np.random.default_rng(0)
        target = generator.integers(0, 10, ROWS)
        for number in range(RUNS):
            _make(settings, number, target, generator)
        rows = generator.permutation(ROWS)[:RELABELLED]
        mended = {f"example/{row:06d}": (str(target[row]), str((target[row] + 1) % 10))
                  for row in rows}  # fmt: skip
        labels.relabel(Ledger(settings.ledger_url), "planted", mended, author="bench")
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            found = rescore_runs(settings=settings)
            seconds.append(time.perf_counter() - start)
        spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
        print(f"{RUNS} runs x {ROWS:,} predictions, {RELABELLED} labels changed")
        print(f"seconds: {statistics.median(seconds):.2f} ({spread}, {REPEATS} times)")
        print(found.says)


def _make(
    settings: Settings, number: int, target: np.ndarray, generator: np.random.Generator
) -> None:
    wrong = generator.random(ROWS) < 0.05 + number / RUNS / 20
    predicted = np.where(wrong, (target + 1) % 10, target)
    table = Predictions(
        split="dev",
        example_id=np.array([f"example/{row:06d}" for row in range(ROWS)]),
        target=target,
        predicted=predicted,
        error=wrong.astype(np.float64),
        weight=np.ones(ROWS),
        classes=tuple("0123456789"),
    )
    with RunStore(settings).create(
        experiment="planted",
        name=f"run-{number}",
        kind="record",
        dataset="planted",
        seed=None,
        group=None,
    ) as writer:
        path = writer.folder / "predictions" / "dev.parquet"
        tables.write(path, table)
        writer.log_file(path, "predictions")
        writer.finish("FINISHED")


if __name__ == "__main__":
    main()
