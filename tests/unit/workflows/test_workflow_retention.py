"""A5: old runs go by rule; the best, the pinned, what is spoken of and only copies never do."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from gapwise.errors import BusyError, StorageError, UsageError
from gapwise.ledger import preferences
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.preferences import Preference
from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.folder import RunFolder
from gapwise.tracking.registry import Registry
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import MEMBERS_TAG
from gapwise.workflows.doctor import examine
from gapwise.workflows.move import embedded, move
from gapwise.workflows.retention import FOR_GOOD, Rule, pin, plan, retire, retired

DAY_MS = 86_400_000
NONE_KEPT = Rule(days=30, best=0, latest=0)


@pytest.fixture
def settings(home: Path) -> Settings:
    return replace(Settings.read(), mirror=False)


def old_run(settings: Settings, name: str, *, error: float = 0.5, days: float = 100.0,
            members: str = "") -> str:  # fmt: skip
    """A run that ended some days ago, whole in MLflow."""
    tags = {MEMBERS_TAG: members} if members else {}
    with RunStore(settings).create(
        experiment="e", name=name, kind="train", seed=0, group=None, dataset="d", tags=tags
    ) as writer:
        writer.log_metric("dev_error", error, 0)
        (writer.folder / "note.txt").write_text(name)
        writer.log_file(writer.folder / "note.txt")
        writer.finish("FINISHED")
    folder = RunFolder(settings.runs / writer.run_id)
    ended = int(time.time() * 1000 - days * DAY_MS)
    folder.write(folder.read().changed(started=ended - 1000, ended=ended))
    RunStore(settings).drain(writer.run_id)
    return writer.run_id


def kept(settings: Settings, rule: Rule = NONE_KEPT) -> dict[str, str]:
    return {one.name: one.kept for one in plan(rule, settings=settings)}


def test_the_best_the_latest_and_the_young_stay(settings: Settings) -> None:
    old_run(settings, "best", error=0.1, days=90)
    old_run(settings, "old", error=0.4, days=80)
    old_run(settings, "latest", error=0.5, days=60)
    old_run(settings, "young", error=0.9, days=5)
    found = kept(settings, Rule(days=30, best=1, latest=2))
    assert found == {
        "best": "it is among the best 1",
        "old": "",
        "latest": "it is among the latest 2",
        "young": "it ended lately",
    }
    assert kept(settings)["latest"] == ""


def test_what_is_pinned_promoted_spoken_of_or_part_of_a_kept_run_stays(settings: Settings) -> None:
    ids = {name: old_run(settings, name) for name in ("pinned", "model", "preferred", "plain")}
    part = old_run(settings, "part")
    old_run(settings, "ensemble", members=f"{part},{ids['plain']}", days=1)
    pin(ids["pinned"], settings=settings)
    registry = Registry(connect(settings), settings.tracking_uri)
    mlflow_id = RunStore(settings).open(ids["model"]).mlflow_id
    registry.register("m", run_id=ids["model"], mlflow_id=mlflow_id, path="note.txt")
    preferences.prefer(
        Ledger(settings.ledger_url),
        Preference(better=ids["preferred"], worse="0" * 32, author="ann"),
        dataset="d",
    )
    found = kept(settings)
    assert found["pinned"] == "it is pinned"
    assert found["model"] == "a model of the registry is made of it"
    assert found["preferred"] == "the ledger speaks of it"
    assert found["part"].endswith("is made of it")
    assert found["plain"].endswith("is made of it")
    pin(ids["pinned"], on=False, settings=settings)
    assert kept(settings)["pinned"] == ""


def test_what_runs_or_waits_for_mlflow_stays(settings: Settings) -> None:
    waiting = old_run(settings, "waiting")
    (settings.runs / waiting / "drained.json").unlink()
    with RunStore(settings).create(
        experiment="e", name="running", kind="train", seed=0, group=None, dataset="d"
    ):
        found = kept(settings)
    assert found == {"waiting": "MLflow does not have it whole", "running": "it runs"}


@pytest.mark.parametrize("days", [-1.0, float("nan"), float("inf"), 1e12])
def test_days_that_are_none_are_refused(settings: Settings, days: float) -> None:
    with pytest.raises(UsageError, match=r"--days .*: write a number of days from 0 to 36,500"):
        plan(Rule(days=days), settings=settings)


def test_nothing_is_changed_by_looking(settings: Settings) -> None:
    run_id = old_run(settings, "old")
    document = retired(plan(NONE_KEPT, settings=settings), None, "", does=False)
    assert document["gone"] == []
    assert document["bytes"] > 0
    assert RunStore(settings).open(run_id).status == "FINISHED"


def test_runs_are_archived_and_then_gone_also_from_mlflow(
    settings: Settings, tmp_path: Path
) -> None:
    run_id, stays = old_run(settings, "old"), old_run(settings, "new", days=1)
    mlflow_id = RunStore(settings).open(run_id).mlflow_id
    gone = retire(plan(NONE_KEPT, settings=settings), tmp_path / "archive", settings=settings)
    assert gone == [run_id]
    assert list(RunStore(settings).rows()["run_id"]) == [stays]
    assert not (settings.runs / run_id).exists()
    assert not list(settings.artifacts.rglob(f"{mlflow_id}/artifacts/note.txt"))
    with pytest.raises(Exception, match="not found"):
        connect(settings).get_run(mlflow_id)
    assert examine(settings)["healthy"]
    move(embedded(tmp_path / "archive"), settings)  # and back
    assert RunStore(settings).open(run_id).artifact("note.txt").read_text() == "old"


def test_the_only_copy_goes_by_the_word_alone(settings: Settings) -> None:
    run_id = old_run(settings, "old")
    judged = plan(NONE_KEPT, settings=settings)
    for word in ("", "yes", FOR_GOOD.upper()):
        with pytest.raises(UsageError, match="these runs are the only copy"):
            retire(judged, None, word, settings)
    assert retire(judged, None, FOR_GOOD, settings) == [run_id]
    assert RunStore(settings).rows().empty


def test_a_run_whose_copy_does_not_hold_stays(settings: Settings, tmp_path: Path) -> None:
    run_id = old_run(settings, "old")
    judged = plan(NONE_KEPT, settings=settings)
    (settings.runs / run_id / "note.txt").write_text("changed since")
    with pytest.raises(StorageError, match=r"note\.txt is damaged"):
        retire(judged, tmp_path / "archive", settings=settings)
    assert RunStore(settings).open(run_id).name == "old"
    assert connect(settings).get_run(RunStore(settings).open(run_id).mlflow_id)


def test_a_run_that_goes_on_meanwhile_stays(settings: Settings, tmp_path: Path) -> None:
    run_id = old_run(settings, "old")
    judged = plan(NONE_KEPT, settings=settings)
    with RunStore(settings).reopen(run_id) as writer:
        with pytest.raises(BusyError):
            retire(judged, tmp_path / "archive", settings=settings)
        writer.finish("FINISHED")
    assert list(RunStore(settings).rows()["run_id"]) == [run_id]


def test_an_experiment_that_is_not_there_is_told(settings: Settings) -> None:
    old_run(settings, "old")
    with pytest.raises(UsageError, match="experiment 'ee': did you mean e"):
        plan(NONE_KEPT, "ee", settings)
