"""Odd surroundings: no home, no folder, few files, little memory, strange clocks and signals."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

GAPWISE = [sys.executable, "-c", "from gapwise.cli import main; main()"]
TRAIN = ["train", "digits", "network=multilayer-perceptron", "training.epochs=2",
         "training.device=cpu"]  # fmt: skip


def gapwise(
    *words: str,
    env: dict[str, str],
    before: Callable[[], None] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GAPWISE, *words], capture_output=True, text=True, timeout=120, check=False, env=env,
        preexec_fn=before, cwd=cwd,
    )  # fmt: skip


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    away = ("GAPWISE_", "MLFLOW_")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(away)}
    return plain | {
        "GAPWISE_HOME": str(tmp_path / "home"),
        "GAPWISE_CACHE": str(tmp_path / "cache"),
        "GAPWISE_MIRROR": "off",
    }


def one_sentence(done: subprocess.CompletedProcess[str], code: int, *says: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    *_, last = done.stderr.strip().splitlines()
    assert last.startswith("gapwise: ")
    for word in says:
        assert word in last


def test_c6_no_home_and_a_zone_that_is_none_train_and_diagnose(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    for name in ("HOME", "GAPWISE_HOME", "GAPWISE_CACHE"):
        surroundings.pop(name, None)
    odd = surroundings | {"TZ": "Nowhere/Else"}
    one_sentence(gapwise("diagnose", "latest", env=odd, cwd=tmp_path), 2, "there are no runs yet")
    done = gapwise(*TRAIN, env=odd, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".gapwise").is_dir()


@pytest.mark.parametrize("words", [TRAIN, ["diagnose", "latest"], ["data", "digits"]])
def test_c6_a_folder_that_is_gone_is_said(
    surroundings: dict[str, str], tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "gone").mkdir()

    def leave() -> None:
        os.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()

    done = gapwise(*words, env=surroundings, before=leave)
    one_sentence(done, 5, "the folder that you are in is gone")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("files", "code"), [(32, 0), (7, 5)])
def test_x3_few_open_files_suffice_or_are_said(
    surroundings: dict[str, str], files: int, code: int
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    done = gapwise(*TRAIN, env=surroundings, before=limit)
    if code:
        one_sentence(done, code, "Too many open files", "ulimit -n")
        whole = gapwise("--debug", *TRAIN, env=surroundings, before=limit)
        assert "Traceback" in whole.stderr
        assert "Too many open files" in whole.stderr
    else:
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("megabytes", "code"), [(2000, 0), (300, 3)])
def test_x6_little_memory_suffices_or_is_said(
    surroundings: dict[str, str], megabytes: int, code: int
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 10**6,) * 2)

    done = gapwise(*TRAIN, env=surroundings, before=limit)
    if code:
        one_sentence(done, code, "memory does not suffice", "ulimit -v")
    else:
        assert done.returncode == 0, done.stderr


def test_x5_a_training_that_is_halted_goes_on(surroundings: dict[str, str]) -> None:
    words = [*GAPWISE, *TRAIN, "training.epochs=30"]
    child = subprocess.Popen(words, env=surroundings, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if "epoch 2/30" in line:
            break
    child.send_signal(signal.SIGSTOP)
    time.sleep(1)
    assert child.poll() is None
    child.send_signal(signal.SIGCONT)
    _, says = child.communicate(timeout=100)
    assert child.returncode == 0
    assert "epoch 30/30" in says
