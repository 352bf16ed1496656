"""T9: of every kind of file that is kept, a flipped bit is found, or it changed nothing.

The seed of the bits is printed; ``GAPWISE_TEST_SEED`` sets it.
"""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from gapwise.data import prepared
from gapwise.data.assignment import Assignment, digest_of
from gapwise.errors import GapwiseError
from gapwise.ledger.ledger import Ledger
from gapwise.records import ExampleSet
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.upkeep import Upkeep
from gapwise.training.checkpoints import CheckpointStore, read_checkpoint

N = 60


@dataclass(frozen=True)
class Kept:
    """Something that is kept: how it is written into a folder, and all that can be read of it."""

    write: Callable[[Path], object]
    read: Callable[[Path], object]


def save(folder: Path) -> None:
    tensors = {"w": torch.arange(300.0), "b": torch.ones(7)}
    CheckpointStore(folder).save(3, {"best": 3, "note": "é"}, tensors)


def saved(folder: Path) -> object:
    found = read_checkpoint(next(CheckpointStore(folder).newest_first()))
    return found.values, {name: tensor.tolist() for name, tensor in found.tensors.items()}


def settings(folder: Path) -> Settings:
    return Settings(
        home=folder, cache=folder, tracking_uri=f"sqlite:///{folder}/m.db", ledger_url="",
        mirror=False,
    )  # fmt: skip


def run(folder: Path) -> None:
    with RunStore(settings(folder)).create(
        experiment="e", name="n", kind="train", seed=0, group=None, dataset="d"
    ) as writer:
        writer.log_parameters({"training": {"epochs": 3}})
        for step in range(N):
            writer.log_metric("loss", 1 / (step + 1), step)
        note = writer.folder / "note.txt"
        note.write_text("kept " * 50)
        writer.log_file(note)
        writer.finish("FINISHED")


def ran(folder: Path) -> object:
    store = RunStore(settings(folder))
    (run_id,) = (path.name for path in settings(folder).runs.iterdir())
    assert Upkeep(settings(folder)).prove() == 2
    stored = store.open(run_id)
    return stored.parameters, stored.status, stored.history("loss")[1].tolist()


def prepare(folder: Path) -> None:
    ids = np.array([f"e{i}" for i in range(N)])
    one = ExampleSet(
        name="made",
        inputs=np.random.default_rng(0).integers(0, 256, (N, 1, 4, 4), dtype=np.uint8),
        targets=np.arange(N, dtype=np.int64) % 3,
        classes=("a", "b", "c"),
        ids=ids,
        sources=np.full(N, "s"),
    )
    split = np.where(np.arange(N) % 4, "train", "dev")
    prepared.write(
        folder / "p", one, Assignment(split=split, cuts={}, digest=digest_of(ids, split))
    )


def is_prepared(folder: Path) -> object:
    found = prepared.open(folder / "p")
    found.check()
    return found.inputs.tolist(), found.targets.tolist(), found.classes, found.digest


def note(folder: Path) -> None:
    ledger = Ledger(f"sqlite:///{folder}/ledger.db", now=lambda: "2026-01-01")
    for i in range(N):
        value = {"label": f"cat {i}"}
        ledger.append(dataset="d", example_id=f"x{i}", kind="label", value=value, author="ann")


def noted(folder: Path) -> object:
    ledger = Ledger(f"sqlite:///{folder}/ledger.db")
    assert ledger.verify() == N
    return ledger.events(), [ledger.events(dataset="d", example_id=f"x{i}") for i in range(N)]


def happen(folder: Path) -> None:
    events = [Event(kind="asked", trial=i, facts={"lr": 0.1 * i, "n": i}, at=1.5) for i in range(N)]
    EventLog(f"sqlite:///{folder}/searches.db").append("study", 0, events)


def happened(folder: Path) -> object:
    log = EventLog(f"sqlite:///{folder}/searches.db")
    assert log.verify() == N
    return log.read("study")


KEPT = {
    "checkpoint": Kept(save, saved),
    "run": Kept(run, ran),
    "prepared data": Kept(prepare, is_prepared),
    "ledger": Kept(note, noted),
    "searches": Kept(happen, happened),
}


def flips(kept: Kept, folder: Path, count: int, seed: int) -> int:
    """Flip bits one by one; return how many were found. Each of the others changed nothing."""
    print(f"GAPWISE_TEST_SEED={seed}")  # noqa: T201 - a failure must be repeatable
    draw = random.Random(seed)
    kept.write(folder)
    before = kept.read(folder)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]
    found = 0
    for _ in range(count):
        whole = {path: path.read_bytes() for path in files}
        path = draw.choice(files)
        place, bit = draw.randrange(len(whole[path])), draw.randrange(8)
        content = bytearray(whole[path])
        content[place] ^= 1 << bit
        path.write_bytes(content)
        try:
            assert kept.read(folder) == before, f"{path.name}: bit {bit} of byte {place}"
        except GapwiseError:
            found += 1
        for each in files:
            each.write_bytes(whole[each])
    return found


@pytest.mark.parametrize("kind", KEPT)
def test_t9_a_flipped_bit_is_found_or_changed_nothing(kind: str, tmp_path: Path) -> None:
    assert flips(KEPT[kind], tmp_path, 40, seed=0) > 0


@pytest.mark.faults
@pytest.mark.parametrize("kind", KEPT)
def test_t9_10_000_flipped_bits(kind: str, tmp_path: Path) -> None:
    seed = int(os.environ.get("GAPWISE_TEST_SEED", time.time_ns() % 100_000))
    count = 10_000 // len(KEPT)
    found = flips(KEPT[kind], tmp_path, count, seed)
    print(f"{kind}: {found} of {count} found, the others changed nothing")  # noqa: T201
    assert found > 0
