"""K2, X1, X7: killed trainers, full disks and folders that cannot be written."""

import os
import random
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gapwise.errors import StorageError
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.store import RunStore
from gapwise.tracking.upkeep import Upkeep

TRAINER = """
import sys, time
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
store = RunStore(Settings.read())
ref = sys.argv[1] if len(sys.argv) > 1 else ""
new = dict(experiment="e", name=None, kind="train", seed=0, group=None, dataset="d")
with store.reopen(ref) if ref else store.create(**new) as writer:
    print(writer.run_id, flush=True)
    for step in range(10**6):
        writer.log_metrics({"loss": 1 / (step + 1), "lr": step * 0.5}, step)
        time.sleep(0.001)
        if step % 20 == 0:
            writer.sync()
            print(step, flush=True)
"""


def kill_trainer(seconds: float, ref: str = "") -> tuple[str, int]:
    """Return the run and the last step that was written when ``kill -9`` came."""
    command = [sys.executable, "-c", TRAINER, *([ref] if ref else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    time.sleep(seconds)
    process.kill()
    steps = process.communicate()[0].splitlines()
    return run_id, int(steps[-2]) if len(steps) > 1 else -1


def check_killed(store: RunStore, kills: int) -> None:
    for kill in range(kills):
        run_id, _ = kill_trainer(random.Random(kill).uniform(0, 0.1))
        run = store.open(run_id)
        assert run.status == "KILLED"
    rows = store.rows()
    assert (rows["status"] == "KILLED").all()
    assert len(Upkeep(Settings.read()).close_stale()) == len(rows)
    assert Upkeep(Settings.read()).close_stale() == []
    ended = store.rows()["ended"]
    assert ended.notna().all()


def test_k2_a_killed_run_is_shown_and_closed_as_killed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    store = RunStore(Settings.read())
    check_killed(store, kills=4)
    run_id = store.open("latest").run_id
    store.drain(run_id)
    client = connect(Settings.read())
    assert client.get_run(store.open("latest").mlflow_id).info.status == "KILLED"


def test_k2_a_run_killed_again_and_again_loses_and_doubles_no_point(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    store = RunStore(Settings.read())
    run_id, last = kill_trainer(0.05)
    for kill in range(4):
        last = max(last, kill_trainer(random.Random(kill).uniform(0.01, 0.2), run_id)[1])
    steps, values, seconds = store.open(run_id).history("loss")
    assert steps.tolist() == list(range(len(steps)))
    assert len(steps) > last
    assert values.tolist() == [1 / (step + 1) for step in range(len(steps))]
    assert len(seconds) == len(steps)


def test_k2_the_mirror_writes_what_a_killed_trainer_left(home: Path) -> None:
    run_id, last = kill_trainer(4.0)
    store = RunStore(replace(Settings.read(), mirror=False))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and run_id in store.undrained():
        time.sleep(0.2)
    client = connect(Settings.read())
    row = store.rows().iloc[0]
    assert client.get_run(row["mlflow_id"]).info.status == "KILLED"
    history = client.get_metric_history(row["mlflow_id"], "loss")
    assert len(history) == len(store.open(run_id).history("loss")[0]) > last


@pytest.mark.faults
def test_k2_100_kills(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    check_killed(RunStore(Settings.read()), kills=100)


X1 = """
import resource, sys
from gapwise.errors import StorageError
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
store = RunStore(Settings.read())
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
with store.create(experiment="e", name=None, kind="train", seed=0, group=None, dataset="d") as w:
    w.log_parameters({"a": 1})
    w.log_metric("loss", 0.5, 1)
    w.sync()
    failed = 0
    for limit in (0, 10, 100):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        for action in (
            lambda: (w.log_metric("loss", 0.25, 2), w.sync()),
            lambda: w.log_parameters({"b": "x" * 500}),
            lambda: w.log_tags({"t": "x"}),
        ):
            try:
                action()
            except StorageError as error:
                failed += str(w.folder) in str(error) and error.exit_code == 5
    assert failed == 9, failed
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    run = store.open(w.run_id)
    assert dict(run.parameters) == {"a": 1} and dict(run.metrics) == {"loss": 0.5}, run.metrics
    w.log_metric("loss", 0.25, 2)
    w.log_parameters({"b": 2})
    w.finish("FINISHED")
run = store.open(w.run_id)
assert dict(run.parameters) == {"a": 1, "b": 2}
assert run.history("loss")[1].tolist() == [0.5, 0.25]
assert not [p for p in w.folder.iterdir() if p.name.startswith(".")]
"""


def test_x1_a_full_disk_is_told_and_the_run_goes_on_after(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    done = subprocess.run([sys.executable, "-c", X1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def as_one_who_obeys_permissions() -> list[str]:
    """Return what a command needs before it: root may write anywhere unless it gives that up."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and setpriv (util-linux) is not here to forbid it")
    rights = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"]


X7 = """
import sys
from gapwise.errors import StorageError
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
settings = Settings.read()
store, ledger = RunStore(settings), Ledger(settings.ledger_url)
assert store.open("latest").history("loss")[1].tolist() == [0.5]
assert store.rows()["metric.loss"].tolist() == [0.5]
assert ledger.revision() == ledger.verify() == len(ledger.events()) == 1
for action in (
    lambda: store.create(experiment="e", name=None, kind="t", seed=0, group=None, dataset="d"),
    lambda: store.reopen("latest"),
    lambda: ledger.append(dataset="d", kind="k", value={}, author="a"),
):
    try:
        action()
    except StorageError as error:
        assert str(settings.home) in str(error) and error.exit_code == 5, error
    else:
        sys.exit("a read-only home was written")
"""


def test_x7_a_read_only_home_is_named_and_can_be_read(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    settings = Settings.read()
    store = RunStore(settings)
    with store.create(
        experiment="e", name=None, kind="train", seed=0, group=None, dataset="d"
    ) as writer:
        writer.log_metric("loss", 0.5, 1)
        writer.finish("FINISHED")
    store.drain(writer.run_id)
    Ledger(settings.ledger_url).append(dataset="d", kind="k", value={}, author="a")
    for path in (home, *home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    command = [*as_one_who_obeys_permissions(), sys.executable, "-c", X7]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        for path in (home, *home.rglob("*")):
            path.chmod(0o755)
    assert done.returncode == 0, done.stderr


def test_x7_a_home_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GAPWISE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StorageError, match=re.escape(str(tmp_path / "file"))):
        RunStore(Settings.read()).create(
            experiment="e", name=None, kind="t", seed=0, group=None, dataset="d"
        )
