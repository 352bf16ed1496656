"""A6: after a power loss at any time in a save, what is there is as before or as after it."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from gapwise.data import prepared
from gapwise.data.assignment import Assignment, digest_of
from gapwise.errors import GapwiseError
from gapwise.records import ExampleSet, Predictions
from gapwise.tracking import predictions
from gapwise.tracking.files import write_json
from gapwise.tracking.folder import RunFolder, RunRecord
from gapwise.tracking.spool import Spool, points
from gapwise.training.checkpoints import CheckpointStore, read_checkpoint

N = 200


@dataclass(frozen=True)
class Save:
    """Something that is saved: how it begins, a change, and what is there, 0 before, 1 after."""

    begin: Callable[[Path], object]
    change: Callable[[Path], object]
    state: Callable[[Path], int]


def checkpoint(folder: Path, step: int) -> None:
    CheckpointStore(folder).save(step, {"best": step}, {"w": torch.full((50,), float(step))})


def newest(folder: Path) -> int:
    """The newest checkpoint that holds, as a resume finds it."""
    for path in CheckpointStore(folder).newest_first():
        try:
            saved = read_checkpoint(path)
        except GapwiseError:
            continue
        assert saved.tensors["w"].tolist() == [float(saved.values["best"])] * 50
        return int(saved.values["best"]) - 1
    raise AssertionError("no checkpoint holds")


def table(folder: Path, said: int) -> None:
    target = np.arange(N) % 3
    predictions.write(
        folder / "dev.parquet",
        Predictions(
            split="dev",
            example_id=np.array([f"e{i}" for i in range(N)]),
            target=target,
            predicted=np.full(N, said),
            error=(target != said).astype(np.float64),
            weight=np.ones(N),
            classes=("a", "b", "c"),
        ),
    )


def predicted(folder: Path) -> int:
    (said,) = np.unique(predictions.read(folder / "dev.parquet").predicted)
    return int(said)


def record(folder: Path, seed: int) -> None:
    one = RunRecord(run_id="r", name="n", experiment="e", kind="train", dataset="d", seed=seed)
    RunFolder(folder).write(one)


def spooled(folder: Path) -> int:
    steps = [point.step for point in points(folder / "spool.jsonl")]
    assert steps in ([1], [1, 2])
    return len(steps) - 1


def spool(folder: Path, step: int) -> None:
    with closing(Spool(folder / "spool.jsonl")) as opened:
        opened.append({"loss": 0.5}, step)
        opened.sync()


def prepare(folder: Path) -> None:
    ids = np.array([f"e{i}" for i in range(N)])
    one = ExampleSet(
        name="made",
        inputs=np.zeros((N, 1, 4, 4), np.uint8),
        targets=np.arange(N, dtype=np.int64) % 3,
        classes=("a", "b", "c"),
        ids=ids,
        sources=np.full(N, "s"),
    )
    split = np.where(np.arange(N) % 4, "train", "dev")
    drawn = Assignment(split=split, cuts={}, digest=digest_of(ids, split))
    prepared.write(folder / "p", one, drawn)


def is_prepared(folder: Path) -> int:
    if not (folder / "p").exists():
        return 0
    prepared.open(folder / "p").check()
    return 1


SAVES = {
    "checkpoint": Save(lambda f: checkpoint(f, 1), lambda f: checkpoint(f, 2), newest),
    "predictions": Save(lambda f: table(f, 0), lambda f: table(f, 1), predicted),
    "record of a run": Save(
        lambda f: record(f, 0), lambda f: record(f, 1), lambda f: int(RunFolder(f).read().seed or 0)
    ),
    "spool": Save(lambda f: spool(f, 1), lambda f: spool(f, 2), spooled),
    "prepared data": Save(lambda _: None, prepare, is_prepared),
}


@pytest.mark.parametrize("name", SAVES)
def test_a6_the_power_may_go_at_any_time(name: str, tmp_path: Path, power: ModuleType) -> None:
    save = SAVES[name]
    folder = tmp_path / "disk"
    folder.mkdir()
    save.begin(folder)
    during, after = power.lost_at_any_time(folder, lambda: save.change(folder))
    assert len(during) > 2
    found = [
        save.state(power.laid_out(files, tmp_path / str(place)))
        for place, files in enumerate(during)
    ]
    assert set(found) <= {0, 1}
    assert found[0] == 0
    for place, files in enumerate(after):  # once the save has returned, it stays
        assert save.state(power.laid_out(files, tmp_path / f"after-{place}")) == 1


def test_a_save_that_forgets_an_fsync_is_found(tmp_path: Path, power: ModuleType) -> None:
    """What is held against the rule must be able to fail: a write that is renamed unsynced."""
    folder = tmp_path / "disk"
    folder.mkdir()
    write_json(folder / "one.json", {"a": 1})

    def careless() -> None:
        (folder / "draft").write_text('{"a": 2}')
        (folder / "draft").replace(folder / "one.json")

    during, after = power.lost_at_any_time(folder, careless)
    assert b"" in [files.get("one.json") for files in (*during, *after)]
