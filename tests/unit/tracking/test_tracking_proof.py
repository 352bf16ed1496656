"""A run's files are what was written: ``prove`` names each that is missing or damaged."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gapwise.errors import StorageError
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.upkeep import Upkeep
from gapwise.workflows.doctor import examine


@pytest.fixture
def run(home: Path) -> Path:
    """A run that has ended, with one file and a point."""
    store = RunStore(replace(Settings.read(), mirror=False))
    with store.create(
        experiment="e", name=None, kind="train", seed=0, group=None, dataset="d"
    ) as writer:
        (writer.folder / "note.txt").write_text("kept")
        writer.log_file(writer.folder / "note.txt")
        writer.log_metric("loss", 0.25, 0)
        writer.finish("FINISHED")
    return writer.folder


def test_files_that_hold_are_counted(run: Path) -> None:
    assert Upkeep(Settings.read()).prove() == 2  # the file and the points


def test_a_run_that_goes_on_is_not_judged(run: Path) -> None:
    store = RunStore(replace(Settings.read(), mirror=False))
    with store.reopen(run.name) as writer:
        writer.log_metric("loss", 0.125, 1)
        writer.sync()
        assert Upkeep(Settings.read()).prove() == 0
        writer.finish("FINISHED")
    assert Upkeep(Settings.read()).prove() == 2


@pytest.mark.parametrize(("name", "old", "new"), [("note.txt", b"kept", b"kepu"),
                                                  ("spool.jsonl", b"0.25", b"0.35")])  # fmt: skip
def test_a_changed_file_is_named_and_the_doctor_says_so(
    run: Path, name: str, old: bytes, new: bytes
) -> None:
    path = run / name
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(StorageError, match=rf"{name} is damaged; restore"):
        Upkeep(Settings.read()).prove()
    report = examine()
    (files,) = [check for check in report["checks"] if check["name"] == "files"]
    assert not files["ok"]
    assert not report["healthy"]
    assert str(path) in files["says"]


def test_a_lost_file_is_named(run: Path) -> None:
    (run / "note.txt").unlink()
    with pytest.raises(StorageError, match=r"note\.txt is missing; restore"):
        Upkeep(Settings.read()).prove()


def test_a_record_that_was_changed_is_refused(run: Path) -> None:
    path = run / "run.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(StorageError, match=r"run\.json is damaged .*does not match its seal"):
        RunStore(Settings.read()).open(run.name)


def test_k6_a_record_of_before_there_were_seals_is_read(run: Path) -> None:
    path = run / "run.json"
    document = json.loads(path.read_text())
    del document["seal"], document["spool_sha256"]
    path.write_text(json.dumps(document))
    assert RunStore(Settings.read()).open(run.name).status == "FINISHED"
    assert Upkeep(Settings.read()).prove() == 1
