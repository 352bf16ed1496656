"""Tables of training curves over grids of settings, which searches are compared on by replay.

    GAPWISE_DATA=FOLDER python -m benchmarks.search.tables TASK…

Each setting of a grid (learning rate, momentum, batch size, units) is trained for 27 epochs by the
platform's own loop; its dev error after each epoch goes to ``benchmarks/search/TASK.parquet``. What
was trained before is kept, so that the command can be stopped and called again.
"""

import argparse
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gapwise import pipeline_file
from gapwise.data.subset import subset
from gapwise.errors import TrainingError
from gapwise.records import Job, NumericPlan
from gapwise.settings import Settings
from gapwise.training.checkpoints import read_values
from gapwise.training.job import run_job
from gapwise.workflows.prepare import ready

EPOCHS = 27
LRS = 12
FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Task:
    """One real task: a built-in pipeline, changed, on ``train`` of its training examples."""

    pipeline: str
    train: int
    overrides: tuple[str, ...]
    units: str
    units_choices: tuple[Any, ...]


TASKS = {
    "digits-mlp": Task(
        pipeline="digits",
        train=700,
        overrides=("network=multilayer-perceptron",),
        units="network.hidden",
        units_choices=([16], [64], [256]),
    ),
    "adult-mlp": Task(
        pipeline="adult",
        train=4000,
        overrides=("network={name: multilayer-perceptron}", "splits.dev=3000"),
        units="network.hidden",
        units_choices=([8], [32], [128]),
    ),
    "mnist-lenet": Task(
        pipeline="mnist-lenet",
        train=1000,
        overrides=("splits.dev=1500", "training.augmentation={}", "network={name: lenet5}"),
        units="network.dropout",
        units_choices=(0.0, 0.2, 0.4),
    ),
    "fashion-cnn": Task(
        pipeline="fashion",
        train=1000,
        overrides=(
            "splits.dev=1500",
            "training.augmentation={}",
            "network={name: small-cnn, hidden: 0}",
        ),
        units="network.channels",
        units_choices=([4, 8], [8, 16], [16, 32]),
    ),
}


def settings_of(task: Task) -> Iterator[dict[str, Any]]:
    """Give every setting of a task's grid."""
    grid = itertools.product(
        np.geomspace(1e-3, 1.0, LRS).round(6).tolist(),
        (0.5, 0.9, 0.95, 0.99),
        (16, 32, 64, 128),
        task.units_choices,
    )
    for lr, beta, batch_size, units in grid:
        yield {
            "training.optimizer.lr": lr,
            "training.optimizer.beta": beta,
            "training.batch_size": batch_size,
            task.units: units,
        }


def make(name: str) -> None:
    """Train what the table of a task lacks."""
    task, state = TASKS[name], Settings.read()
    start = ready(
        task.pipeline,
        state,
        (
            *task.overrides,
            "training.optimizer={name: momentum, lr: 0.1}",
            "training.schedule=constant",
            "training.l2=0",
            f"training.epochs={EPOCHS}",
        ),
    )
    prepared = subset(start.prepared, task.train, seed=0)
    lines = FOLDER / f"{name}.jsonl"
    known = {json.loads(line)["key"] for line in lines.open()} if lines.exists() else set()
    with lines.open("a") as out:
        for parameters in settings_of(task):
            key = json.dumps(parameters)
            if key in known:
                continue
            curve = _curve(pipeline_file.resolve(start.pipeline), str(prepared.folder), parameters)
            out.write(json.dumps({"key": key, "curve": curve}) + "\n")
            out.flush()
    rows = [json.loads(line) for line in lines.open()]
    table = pd.DataFrame(
        {"parameters": [r["key"] for r in rows], "dev_error": [r["curve"] for r in rows]}
    )
    table.to_parquet(FOLDER / f"{name}.parquet", compression="zstd")
    lines.unlink()


def _curve(pipeline: dict[str, Any], data: str, parameters: dict[str, Any]) -> list[float]:
    """Return the dev error after each epoch; 1 from where a loss was no number."""
    folder = tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    job = Job(
        pipeline=pipeline,
        data=data,
        folder=folder,
        plan=NumericPlan(threads=1, fused=True),
        seed=0,
        epochs=EPOCHS,
        parameters=parameters,
    )
    try:
        result = run_job(job)
        history = read_values(Path(result.last_checkpoint))["history"]
        return [round(epoch["dev_error"], 6) for epoch in history]
    except TrainingError:
        saved = sorted(Path(folder).glob("step-*.json"))
        history = read_values(saved[-1])["history"] if saved else []
        done = [round(epoch["dev_error"], 6) for epoch in history]
        return done + [1.0] * (EPOCHS - len(done))
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Make the tables that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    for name in parser.parse_args().tasks:
        make(name)


if __name__ == "__main__":
    main()
