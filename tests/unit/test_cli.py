"""The command line as a person types it: real processes, exit codes, one sentence on stderr."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gapwise.training.checkpoints import read_checkpoint

GAPWISE = [sys.executable, "-c", "from gapwise.cli import main; main()"]
QUICK = ["network=multilayer-perceptron", "training.epochs=2", "training.device=cpu"]


def gapwise(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GAPWISE, *words], capture_output=True, text=True, timeout=280, check=False, **options
    )


@pytest.fixture(scope="module")
def home_with_run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose home holds one trained run."""
    folder = tmp_path_factory.mktemp("cli")
    environment = os.environ | {
        "GAPWISE_HOME": str(folder / "home"),
        "GAPWISE_CACHE": str(folder / "cache"),
        "NO_COLOR": "1",
    }
    done = gapwise("train", "digits", *QUICK, env=environment, cwd=folder)
    assert done.returncode == 0, done.stderr
    return environment


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["trian"], "Did you mean 'train'"),
        (["train"], "Missing argument 'pipeline'"),
        (["train", "digits", "--sedes", "3"], "--sedes"),
        (["train", "digitz"], "did you mean digits"),
        (["train", "digits", "training.epoch=3"], "epochs"),
        (["train", "digits", "training.epochs=0"], "training.epochs"),
        (["train", "digits", "--seeds", "0"], "--seeds"),
    ],
)
def test_c1_a_wrong_command_line_exits_2_with_a_suggestion(
    words: list[str], says: str, home: Path
) -> None:
    done = gapwise(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_c1_no_arguments_show_the_commands() -> None:
    done = gapwise()
    assert done.returncode == 2
    assert "diagnose" in done.stdout + done.stderr


def test_c2_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    environment = os.environ | {
        "GAPWISE_HOME": str(tmp_path / "home"),
        "GAPWISE_CACHE": str(tmp_path / "cache"),
    }
    done = gapwise("train", "digits", *QUICK, env=environment)
    assert done.returncode == 5
    assert str(tmp_path / "home") in done.stderr
    assert "Traceback" not in done.stderr


def test_c4_a_closed_pipe_narrow_and_ascii_terminals_are_no_errors(
    home_with_run: dict[str, str],
) -> None:
    odd = home_with_run | {"LANG": "C", "LC_ALL": "C", "COLUMNS": "20", "PYTHONIOENCODING": "ascii"}
    narrow = gapwise("diagnose", "latest", env=odd)
    assert narrow.returncode == 0, narrow.stderr
    assert "\x1b[" not in narrow.stdout
    command = " ".join(f"'{word}'" for word in [*GAPWISE, "diagnose", "latest"])
    piped = subprocess.run(
        ["bash", "-c", f"{command} | head -c 1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env=home_with_run,
        timeout=280,
        check=False,
    )
    assert "Traceback" not in piped.stderr
    assert piped.returncode == 0


def test_json_stands_alone_on_stdout(home_with_run: dict[str, str]) -> None:
    done = gapwise("diagnose", "latest", "--json", env=home_with_run)
    document = json.loads(done.stdout)
    assert {"run_id", "label_revision", "ladder", "gaps", "verdict", "decided", "findings"} <= (
        document.keys()
    )


def test_the_table_shows_ladder_and_next_steps(home_with_run: dict[str, str]) -> None:
    done = gapwise("diagnose", "latest", env=home_with_run | {"COLUMNS": "140"})
    for word in ("train-dev", "dev", "What to do next", "gapwise train digits"):
        assert word in done.stdout


def test_doctor_finds_everything_in_order(home_with_run: dict[str, str]) -> None:
    done = gapwise("doctor", "--json", env=home_with_run)
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["healthy"]


def test_an_unknown_run_exits_2_in_one_line(home_with_run: dict[str, str]) -> None:
    done = gapwise("diagnose", "nosuchrun", env=home_with_run)
    assert done.returncode == 2
    assert "nosuchrun" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_debug_shows_the_traceback(home_with_run: dict[str, str]) -> None:
    assert "Traceback" in gapwise("--debug", "diagnose", "nosuchrun", env=home_with_run).stderr


WAITS_AT_STEP_5 = """
import sys, time
from gapwise.training.loop import Loop
go_on = Loop._between_steps
def wait(loop):
    if loop.progress.total_steps == 5:
        print("at step 5", file=sys.stderr, flush=True)
        while not loop.should_stop():
            time.sleep(0.01)
    go_on(loop)
Loop._between_steps = wait
from gapwise.cli import main
main()
"""

STOPS_SLOWLY = """
import sys, time
from gapwise.training.loop import Loop
def save(loop):
    print("saving", file=sys.stderr, flush=True)
    time.sleep(60)
Loop._save_in_epoch = save
from gapwise.cli import main
main()
"""


def begun(script: str, environment: dict[str, str], until: bytes) -> subprocess.Popen[bytes]:
    """Start a training by ``script``; give it back once it has said ``until``."""
    words = [sys.executable, "-c", script, "train", "digits", *QUICK]
    child = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE)
    heard(child, until)
    return child


def heard(child: subprocess.Popen[bytes], until: bytes) -> None:
    assert child.stderr is not None
    for line in child.stderr:
        if until in line:
            return
    pytest.fail(f"the training ended without a word of {until!r}")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_t3_a_signal_ends_with_a_checkpoint_and_resume_finishes(
    home_with_run: dict[str, str], number: int, code: int
) -> None:
    child = begun(WAITS_AT_STEP_5, home_with_run, b"at step 5")
    child.send_signal(number)
    sent = time.monotonic()
    _, says = child.communicate(timeout=30)
    assert child.returncode == code
    assert time.monotonic() - sent < 10
    named = re.search(rb"at (\S+step-00000005\.json)", says)
    assert named is not None, says
    assert read_checkpoint(Path(named[1].decode())).values["step"] == 5
    refused = gapwise("diagnose", "latest", env=home_with_run)
    assert refused.returncode == 3
    assert "KILLED" in refused.stderr
    resumed = gapwise("resume", "latest", "--json", env=home_with_run)
    assert resumed.returncode == 0, resumed.stderr
    assert "goes on at epoch 1, step 6" in resumed.stderr
    assert json.loads(resumed.stdout)["run_id"] == Path(named[1].decode()).parents[1].name
    assert gapwise("diagnose", "latest", env=home_with_run).returncode == 0


@pytest.mark.parametrize(
    ("first", "number"),
    [
        (signal.SIGTERM, signal.SIGINT),
        (signal.SIGHUP, signal.SIGTERM),
        (signal.SIGUSR1, signal.SIGHUP),
    ],
)
def test_t3_x5_a_second_signal_ends_at_once(
    home_with_run: dict[str, str], first: int, number: int
) -> None:
    child = begun(STOPS_SLOWLY, home_with_run, b"epoch 1")
    child.send_signal(first)
    heard(child, b"saving")
    assert child.poll() is None
    child.send_signal(number)
    child.communicate(timeout=30)  # the stop that it cuts short would take a minute
    assert child.returncode == (130 if number == signal.SIGINT else 143)
