"""Backups, and moves between installations: whole, proved, and as often as one likes."""

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gapwise.errors import GapwiseError, StorageError, UsageError
from gapwise.ledger.ledger import Ledger
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event
from gapwise.settings import Settings
from gapwise.tracking.client import connect
from gapwise.tracking.store import RunStore
from gapwise.tracking.upkeep import Upkeep
from gapwise.workflows import backup
from gapwise.workflows.doctor import examine
from gapwise.workflows.move import Moved, bring, embedded, move


def write_run(settings: Settings, experiment: str = "e", dataset: str = "d") -> str:
    with RunStore(settings).create(
        experiment=experiment, name=None, kind="train", seed=0, group=None, dataset=dataset
    ) as writer:
        writer.log_parameters({"training": {"epochs": 3}})
        for step in range(50):
            writer.log_metric("loss", 1 / (step + 1), step)
        note = writer.folder / "note.txt"
        note.write_text(f"kept {writer.run_id}")
        writer.log_file(note, "notes")
        writer.finish("FINISHED")
    return writer.run_id


def tag(settings: Settings, number: int, dataset: str = "d") -> None:
    Ledger(settings.ledger_url).append(
        dataset=dataset, example_id=f"x{number}", kind="tag", value={"tag": "blurry"}, author="ann",
        key=f"{dataset}-{number}", seen=0,
    )  # fmt: skip


@pytest.fixture
def settings(home: Path) -> Settings:
    """A home with two experiments, tags of two datasets, a search and a gallery; not in MLflow."""
    return filled(replace(Settings.read(), mirror=False))


@pytest.fixture
def mirrored(settings: Settings) -> Settings:
    """The same, with MLflow's own store."""
    for run_id in RunStore(settings).rows()["run_id"]:
        RunStore(settings).drain(run_id)
    return settings


@pytest.fixture(scope="module")
def saved_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup with MLflow's store, made once."""
    folder = tmp_path_factory.mktemp("once")
    settings = filled(replace(embedded(folder / "home"), mirror=False))
    RunStore(settings).drain(str(RunStore(settings).rows()["run_id"].iloc[0]))
    backup.back_up(folder / "saved", settings)
    return folder / "saved"


def filled(settings: Settings) -> Settings:
    home = settings.home
    write_run(settings)
    write_run(settings, "other", "z")
    for number in range(5):
        tag(settings, number)
        tag(settings, number, "z")
    events = [Event(kind="asked", trial=i, facts={"lr": 0.1 * i}) for i in range(4)]
    EventLog(settings.studies_url).append("e-12345678", 0, events)
    (home / "galleries" / "one").mkdir(parents=True)
    (home / "galleries" / "one" / "faces.npz").write_bytes(b"faces")
    (home / "sign-in.toml").write_text("secret")
    return settings


def chain(settings: Settings) -> list[str]:
    return [event.hash for event in Ledger(settings.ledger_url).events()]


def points(settings: Settings) -> dict[str, list[float]]:
    store = RunStore(settings)
    found = {}
    for run_id in store.rows()["run_id"]:
        run = store.open(run_id)
        history = connect(settings).get_metric_history(run.mlflow_id, "loss")
        found[run_id] = sorted(point.value for point in history)
    return found


def at(home: Path) -> Settings:
    return replace(embedded(home), mirror=False)


def moved(source: Settings, target: Settings) -> Moved:
    """Move without MLflow, which other tests watch."""
    return move(source, target, sends=False)


# Backup and restore.


def test_a_backup_restores_to_an_equal_state(mirrored: Settings, tmp_path: Path) -> None:
    settings = mirrored
    told = backup.back_up(tmp_path / "saved", settings)
    assert (told["runs"], told["events"], told["searches"], told["left"]) == (2, 10, 1, 0)
    other = at(tmp_path / "new")
    backup.restore(tmp_path / "saved", other)
    assert chain(other) == chain(settings)
    assert points(other) == points(settings)
    assert EventLog(other.studies_url).read("e-12345678") == EventLog(settings.studies_url).read(
        "e-12345678"
    )
    assert Upkeep(other).prove() == Upkeep(settings).prove() == 4
    assert (other.home / "galleries/one/faces.npz").read_bytes() == b"faces"
    assert not (other.home / "backup.json").exists()
    assert not list(tmp_path.glob("**/saved/**/sign-in.toml"))  # secrets stay where they are
    report = examine(other)
    assert report["healthy"], report
    assert RunStore(other).undrained() == []


def test_what_mlflow_holds_of_a_restored_run_lies_in_the_new_home(
    mirrored: Settings, tmp_path: Path
) -> None:
    backup.back_up(tmp_path / "saved", mirrored)
    other = at(tmp_path / "new")
    backup.restore(tmp_path / "saved", other)
    mirrored.home.rename(tmp_path / "gone")
    for run_id in RunStore(other).rows()["run_id"]:
        run = connect(other).get_run(RunStore(other).open(run_id).mlflow_id)
        assert run.info.artifact_uri.startswith(other.home.as_uri())
        got = connect(other).download_artifacts(run.info.run_id, "notes/note.txt")
        assert Path(got).read_text() == f"kept {run_id}"


def test_g10_a_backup_while_people_tag_holds_a_whole_beginning(
    settings: Settings, tmp_path: Path
) -> None:
    over = threading.Event()
    count = [5]

    def go_on() -> None:
        while not over.is_set():
            tag(settings, count[0])
            count[0] += 1

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        while count[0] < 8:
            time.sleep(0.01)
        told = backup.back_up(tmp_path / "saved", settings)
        after = count[0]
    finally:
        over.set()
        thread.join()
    assert 10 <= told["events"] <= 5 + after + 1
    other = at(tmp_path / "new")
    backup.restore(tmp_path / "saved", other)
    assert chain(other) == chain(settings)[: told["events"]]


def test_a_run_that_goes_on_is_saved_as_it_stands(settings: Settings, tmp_path: Path) -> None:
    with RunStore(settings).create(
        experiment="e", name=None, kind="train", seed=0, group=None, dataset="d"
    ) as writer:
        writer.log_metric("loss", 0.5, 0)
        writer.sync()
        backup.back_up(tmp_path / "saved", settings)
        writer.log_metric("loss", 0.25, 1)
        writer.finish("FINISHED")
    other = at(tmp_path / "new")
    backup.restore(tmp_path / "saved", other)
    saved = RunStore(other).open(writer.run_id)
    assert saved.status == "KILLED"
    assert saved.history("loss")[1].tolist() == [0.5]
    assert RunStore(settings).open(writer.run_id).status == "FINISHED"


@pytest.mark.parametrize("name", ["ledger.db", "run.json", "note.txt", "mlflow.db", "backup.json"])
def test_a_damaged_backup_is_refused_by_the_name_of_its_file(
    saved_once: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(saved_once, tmp_path / "saved")
    path = next((tmp_path / "saved").rglob(name))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StorageError, match=name.replace(".", r"\.")):
        backup.restore(tmp_path / "saved", at(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_no_backup_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"is no backup: it has no backup\.json"):
        backup.verify(settings.home)


def test_no_backup_is_written_over_and_none_of_nothing_is_made(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "saved").mkdir()
    with pytest.raises(UsageError, match="is there already; name a new folder"):
        backup.back_up(tmp_path / "saved", settings)
    with pytest.raises(UsageError, match="there is nothing to back up"):
        backup.back_up(tmp_path / "empty", at(tmp_path / "nothing"))
    assert {path.name for path in tmp_path.iterdir()} <= {"cache", "home", "saved"}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_what_a_killed_backup_left_is_removed_by_the_next(
    settings: Settings, tmp_path: Path
) -> None:
    child = os.fork()
    if child == 0:
        backup.write_json = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[attr-defined]
        backup.back_up(tmp_path / "first", settings)
    os.waitpid(child, 0)
    (left,) = tmp_path.glob(".*")
    assert (left / "runs").is_dir()
    going_on = left.with_name(f"{left.name.rpartition('-')[0]}-{os.getppid()}")
    going_on.mkdir()
    backup.back_up(tmp_path / "second", settings)
    assert list(tmp_path.glob(".*")) == [going_on]  # somebody else's, who still makes it
    assert backup.verify(tmp_path / "second")["runs"] == 2


def test_a_backup_is_restored_into_empty_stores_only(settings: Settings, tmp_path: Path) -> None:
    backup.back_up(tmp_path / "saved", settings)
    with pytest.raises(UsageError, match=r"there are runs in .* already"):
        backup.restore(tmp_path / "saved", settings)
    other = at(tmp_path / "new")
    tag(other, 1)
    with pytest.raises(UsageError, match="there are events in the ledger already"):
        backup.restore(tmp_path / "saved", other)


def test_g10_a_backup_of_servers_restores_into_other_servers(
    mirrored: Settings, tmp_path: Path, new_database: Callable[[], str]
) -> None:
    def servers(home: str) -> Settings:
        return replace(at(tmp_path / home), ledger_url=new_database(), studies=new_database())

    settings, team = mirrored, servers("team")
    move(settings, team)
    backup.back_up(tmp_path / "saved", team)
    again = servers("again")
    backup.restore(tmp_path / "saved", again)
    assert chain(again) == chain(team) == chain(settings)
    assert points(again) == points(settings)
    assert Ledger(again.ledger_url).verify() == 10


# Moves.


def test_a_second_move_doubles_nothing(settings: Settings, tmp_path: Path) -> None:
    other = at(tmp_path / "team")
    first = moved(settings, other)
    assert (first.runs, first.events, first.search_events) == (2, 10, 4)
    second = moved(settings, other)
    assert (second.runs, second.known_runs, second.events, second.known_events) == (0, 2, 0, 10)
    assert second.search_events == 0
    write_run(settings)
    tag(settings, 99)
    third = moved(settings, other)
    assert (third.runs, third.events) == (1, 1)
    assert chain(other) == chain(settings)


def test_two_people_move_into_one_place(settings: Settings, tmp_path: Path) -> None:
    hers = at(tmp_path / "hers")
    write_run(hers)
    Ledger(hers.ledger_url).append(
        dataset="d", example_id="x1", kind="label", value={"label": "cat"}, author="bea", seen=0
    )
    Ledger(hers.ledger_url).append(
        dataset="d", example_id="x1", kind="label", value={"label": "dog"}, author="bea", seen=1
    )
    team = at(tmp_path / "team")
    moved(settings, team)
    moved(hers, team)
    ledger = Ledger(team.ledger_url)
    assert ledger.verify() == 12
    last = ledger.events()[-1]
    assert (last.author, last.seq, last.seen) == ("bea", 12, 11)  # what she saw moved along
    theirs = Ledger(hers.ledger_url).events()
    assert [event.utc for event in ledger.events()[-2:]] == [event.utc for event in theirs]
    assert len(RunStore(team).rows()) == 3


def test_a_run_that_went_on_comes_again(settings: Settings, tmp_path: Path) -> None:
    other = at(tmp_path / "team")
    run_id = write_run(settings)
    moved(settings, other)
    with RunStore(settings).reopen(run_id) as writer:
        writer.log_metric("loss", 0.001, 50)
        writer.finish("FINISHED")
    assert moved(settings, other).runs == 1
    assert len(RunStore(other).open(run_id).history("loss")[0]) == 51
    with RunStore(other).reopen(run_id) as writer:
        writer.log_metric("loss", 0.0005, 51)
        writer.finish("FINISHED")
    assert moved(settings, other).runs == 0  # what went on here stays


def test_one_experiment_goes_out_and_opens_alone(settings: Settings, tmp_path: Path) -> None:
    told = bring(None, tmp_path / "out", "other")
    assert (told["runs"], told["events"], told["searches"]) == (1, 5, 0)
    out = at(tmp_path / "out")
    assert RunStore(out).experiments() == ["other"]
    assert {event.dataset for event in Ledger(out.ledger_url).events()} == {"z"}
    assert examine(out)["healthy"]


def test_a_search_that_went_another_way_is_told_and_stays(
    settings: Settings, tmp_path: Path
) -> None:
    other = at(tmp_path / "team")
    mine = [Event(kind="asked", trial=0, facts={"lr": 7.0})]
    EventLog(other.studies_url).append("e-12345678", 0, mine)
    with pytest.raises(UsageError, match="the search e-12345678 went another way here"):
        moved(settings, other)
    assert EventLog(other.studies_url).read("e-12345678")[0].facts == {"lr": 7.0}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((None, None), "name one side"),
        (("home", "out"), "name one side"),
        (("empty", None), "has no runs and no ledger"),
        (("home", None), "is what is in use already"),
        ((None, "out", "othr"), "did you mean other"),
    ],
)
def test_what_cannot_be_moved_is_said(
    settings: Settings, tmp_path: Path, words: tuple[str | None, ...], says: str
) -> None:
    source, target, *experiment = (None if one is None else tmp_path / one for one in words)
    with pytest.raises(GapwiseError, match=says):
        bring(source, target, experiment[0].name if experiment and experiment[0] else None)


def test_a_damaged_run_does_not_move(settings: Settings, tmp_path: Path) -> None:
    run_id = write_run(settings)
    note = settings.runs / run_id / "note.txt"
    note.write_text("changed")
    with pytest.raises(StorageError, match=r"note\.txt is damaged"):
        moved(settings, at(tmp_path / "team"))
    assert not (tmp_path / "team" / "runs" / run_id).exists()
    assert not list((tmp_path / "team" / "runs").glob(".*"))


def test_the_manifest_names_every_file(settings: Settings, tmp_path: Path) -> None:
    backup.back_up(tmp_path / "saved", settings)
    document = json.loads((tmp_path / "saved" / "backup.json").read_text())
    there = {
        path.relative_to(tmp_path / "saved").as_posix()
        for path in (tmp_path / "saved").rglob("*")
        if path.is_file() and path.suffix != ".lock" and not path.name.endswith("-journal")
    }
    assert set(document["files"]) == there - {"backup.json"}
