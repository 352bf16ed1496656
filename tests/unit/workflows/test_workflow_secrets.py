"""Y7: the value of ``secret:NAME`` is in no output: streams, runs, tracking, predictions."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

CANARY = b"c4n4ry"
GAPWISE = [sys.executable, "-c", "from gapwise.cli import main; main()"]
PIPELINE = """
data: {dataset: {name: npz, path: "secret:DATA_PATH"}}
splits: {dev: 100, test: 100}
network: multilayer-perceptron
training: {epochs: 1, device: cpu, threads: 1}
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Digits under a path that is secret, and a home beside it."""
    digits = load_digits()
    secret = tmp_path / "c4n4ry-folder" / "c4n4ry-file.npz"
    secret.parent.mkdir()
    np.savez(secret, images=(digits.images[:600] * 15).astype(np.uint8), labels=digits.target[:600])
    (tmp_path / "mine.yaml").write_text(PIPELINE)
    places = {"GAPWISE_HOME": str(tmp_path / "home"), "GAPWISE_CACHE": str(tmp_path / "cache")}
    clean = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    return clean | places | {"DATA_PATH": str(secret)}


def gapwise(
    folder: Path, environment: dict[str, str], *words: str
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [*GAPWISE, *words],
        env=environment,
        cwd=folder,
        capture_output=True,
        timeout=280,
        check=False,
    )
    assert CANARY not in done.stdout
    assert CANARY not in done.stderr
    return done


def leaks(folder: Path) -> list[Path]:
    """Files that hold the canary, or have it in their names."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    return [p for p in files if CANARY in p.read_bytes() or CANARY.decode() in str(p)]


def test_y7_a_secret_path_is_in_no_output(tmp_path: Path, environment: dict[str, str]) -> None:
    done = gapwise(tmp_path, environment, "train", "mine.yaml", "--seeds", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert gapwise(tmp_path, environment, "resume", "latest").returncode == 0
    shown = gapwise(tmp_path, environment, "diagnose", "latest")
    assert shown.returncode == 0
    home = tmp_path / "home"
    assert leaks(home) == []
    assert any(b"secret:DATA_PATH" in p.read_bytes() for p in home.rglob("run.json"))


def test_y7_errors_about_a_secret_path_say_the_reference(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    missing = environment | {"DATA_PATH": str(tmp_path / "c4n4ry-gone.npz")}
    done = gapwise(tmp_path, missing, "train", "mine.yaml")
    assert done.returncode == 3
    assert b"there is no secret:DATA_PATH" in done.stderr


def test_y7_resume_needs_the_variable_to_hide_what_it_says(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    assert gapwise(tmp_path, environment, "train", "mine.yaml").returncode == 0
    without = {k: v for k, v in environment.items() if k != "DATA_PATH"}
    done = gapwise(tmp_path, without, "resume", "latest")
    assert done.returncode == 2
    assert b"DATA_PATH, which is not set" in done.stderr
