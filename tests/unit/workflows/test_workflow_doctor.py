"""Each part is looked at; what does not hold is said with its mend, and mended when asked."""

import socket
import time
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gapwise.settings import Settings
from gapwise.tracking.folder import RunFolder
from gapwise.tracking.store import RunStore
from gapwise.tracking.upkeep import Upkeep
from gapwise.workflows.doctor import examine
from gapwise.workflows.vitals import vitals

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def settings(home: Path) -> Settings:
    return replace(Settings.read(), mirror=False)


def begun(settings: Settings) -> str:
    """A run that MLflow does not have."""
    with RunStore(settings).create(
        experiment="e", name=None, kind="train", seed=0, group=None, dataset="d"
    ) as writer:
        writer.log_metric("loss", 0.5, 0)
        writer.finish("FINISHED")
    return writer.run_id


def died(settings: Settings) -> str:
    """A run whose trainer is gone: nobody holds its lock."""
    run_id = begun(settings)
    folder = RunFolder(settings.runs / run_id)
    folder.write(folder.read().changed(status="RUNNING", ended=None, spool_sha256=""))
    return run_id


def check(report: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in report["checks"] if one["name"] == name]
    return dict(found)


def test_an_empty_home_is_in_order(settings: Settings) -> None:
    report = examine(settings)
    assert report["healthy"], report
    assert "torch" in check(report, "versions")["says"]
    assert not settings.home.exists()  # looking makes nothing


def test_a_run_that_died_is_told_and_closed_when_asked(settings: Settings) -> None:
    run_id = died(settings)
    found = check(examine(settings, mends=False), "runs")
    assert (found["ok"], found["says"][:19]) == (False, "1 runs have died; `")
    assert Upkeep(settings).stale() == [run_id]
    assert check(examine(settings), "runs")["says"] == "1 runs had died and are closed as KILLED"
    assert Upkeep(settings).stale() == []
    assert check(examine(settings, mends=False), "runs")["ok"]


def test_what_waits_is_told_and_sent_when_asked(settings: Settings) -> None:
    begun(settings)
    found = check(examine(settings, mends=False), "spools")
    assert not found["ok"]
    assert "1 runs wait to be sent" in found["says"]
    assert vitals(settings).waiting == 1
    assert check(examine(settings), "spools")["says"] == "sent 1 runs that waited"
    assert vitals(settings).waiting == 0


def test_a_disk_that_is_nearly_full_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(10, 0, 300 * 2**20))
    found = check(examine(settings), "disk")
    assert not found["ok"]
    assert found["says"].startswith("300 MiB are free at ")


@pytest.mark.parametrize(("apart", "ok"), [(3.0, True), (-90.0, False), (90.0, False)])
def test_a_clock_that_differs_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, apart: float, ok: bool
) -> None:
    begun(settings)
    now = time.time
    monkeypatch.setattr("gapwise.workflows.doctor.time.time", lambda: now() - apart)
    found = check(examine(settings, mends=False), "clock")
    assert found["ok"] is ok
    if not ok:
        assert f"{apart:+.0f} s from this machine's" in found["says"]
    assert not list(settings.home.glob(".clock-*"))


def test_a_server_that_is_away_is_told(settings: Settings) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://ann:hunter2@127.0.0.1:{free.getsockname()[1]}"
    found = check(examine(replace(settings, tracking_uri=uri)), "tracking")
    assert not found["ok"]
    assert "does not answer" in found["says"]
    assert "hunter2" not in found["says"]


def test_artifacts_without_a_run_are_named(settings: Settings) -> None:
    begun(settings)
    examine(settings)  # sends it, so that it has artifacts of its own
    assert check(examine(settings), "artifacts")["ok"]
    lost = settings.artifacts / "e" / "0123456789abcdef" / "artifacts"
    lost.mkdir(parents=True)
    found = check(examine(settings), "artifacts")
    assert not found["ok"]
    assert str(lost.parent) in found["says"]


def test_files_are_proved_only_when_that_is_asked(settings: Settings) -> None:
    begun(settings)
    assert check(examine(settings), "files")["says"] == "1 files of runs hold"
    names = [one["name"] for one in examine(settings, proves=False)["checks"]]
    assert "files" not in names


def test_vitals_count_what_is_there(settings: Settings) -> None:
    begun(settings)
    died(settings)
    found = vitals(settings)
    assert found.runs == {"FINISHED": 1, "KILLED": 1}
    assert (found.stale, found.waiting, found.events, found.searches) == (1, 2, 0, 0)
    assert found.free_bytes > 0
