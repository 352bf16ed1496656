"""The whole command, killed with -9 again and again, ends as the uninterrupted one (FAULTS T1, K2).

The loop alone is killed more often in test_training_kills.py; here run folder, spool, predictions
and MLflow take part.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.client import connect
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun

GAPWISE = [sys.executable, "-c", "from gapwise.cli import main; main()"]
OVERRIDES = [
    "network=multilayer-perceptron",
    "training.epochs=150",
    "training.checkpoint_seconds=0.05",
    "training.device=cpu",
    "training.threads=1",
]
CURVES = ("loss", "lr", "train_loss", "train_error", "dev_loss", "dev_error")


@pytest.mark.parametrize("kills", [4, pytest.param(40, marks=pytest.mark.faults)])
def test_t1_a_run_killed_again_and_again_ends_as_the_uninterrupted_one(
    home: Path, kills: int
) -> None:
    seed = int(os.environ.get("GAPWISE_TEST_SEED", time.time_ns() % 10_000))
    print(f"GAPWISE_TEST_SEED={seed}")  # noqa: T201 - a failure must be repeatable
    draw = random.Random(seed)
    assert _gapwise("train", "digits", *OVERRIDES, "--name", "whole") == 0
    assert _killed("train", "digits", *OVERRIDES, "--name", "killed", after=draw.random()) < 0
    store = RunStore(Settings.read())
    assert store.open("killed").status == "KILLED"
    for _ in range(kills - 1):
        if _killed("resume", "killed", after=draw.random()) == 0:
            break
    if store.open("killed").status != "FINISHED":
        assert _gapwise("resume", "killed") == 0
    whole, killed = store.open("whole"), store.open("killed")
    _assert_equal(whole, killed)
    _assert_mirrored(killed)


def _gapwise(*words: str) -> int:
    done = subprocess.run(
        [*GAPWISE, *words], capture_output=True, text=True, timeout=240, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode


def _killed(*words: str, after: float) -> int:
    """Start a command, kill it ``after`` (0 to 1) of two seconds into its training."""
    child = subprocess.Popen([*GAPWISE, *words], stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if "epoch" in line:
            break
    time.sleep(2 * after)
    child.kill()
    child.communicate(timeout=60)
    return child.returncode


def _assert_equal(whole: StoredRun, killed: StoredRun) -> None:
    for curve in CURVES:
        steps, values, _ = killed.history(curve)
        expected_steps, expected, _ = whole.history(curve)
        assert np.array_equal(steps, expected_steps), curve
        assert np.array_equal(values, expected), curve
    for split in whole.splits():
        a, b = (
            tables.read(run.artifact(f"predictions/{split}.parquet")) for run in (whole, killed)
        )
        assert np.array_equal(a.scores, b.scores)
    assert killed.metrics["best_epoch"] == whole.metrics["best_epoch"]


def _assert_mirrored(run: StoredRun) -> None:
    """MLflow has every point once, although several processes sent them."""
    settings = Settings.read()
    store = RunStore(settings)
    store.drain(run.run_id)
    client = connect(settings)
    history = client.get_metric_history(store.open(run.run_id).mlflow_id, "loss")
    steps, values, _ = run.history("loss")
    assert sorted((m.step, m.value) for m in history) == list(
        zip(steps.tolist(), values.tolist(), strict=True)
    )
    assert client.get_run(store.open(run.run_id).mlflow_id).info.status == "FINISHED"
