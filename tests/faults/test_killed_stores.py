"""X1, X2, T2: killed in any write, or out of disk in any, a store is as before or as after.

For each store: what is there already, a change, and what may be read once the change was cut.
"""

import itertools
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gapwise.data import prepared
from gapwise.data.assignment import Assignment, digest_of
from gapwise.ledger.ledger import Ledger
from gapwise.records import ExampleSet, Predictions
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event
from gapwise.tracking import predictions
from gapwise.tracking.spool import Spool, points

N = 400


@dataclass(frozen=True, kw_only=True)
class Store:
    """A store in a folder: how it begins, a change to it, and its state, 0 before, 1 after."""

    begin: Callable[[Path], object]
    change: Callable[[Path], object]
    state: Callable[[Path], int]


def table(predicted: int) -> Predictions:
    target = np.arange(N) % 3
    said = np.full(N, predicted)
    return Predictions(
        split="dev",
        example_id=np.array([f"e{i:05d}" for i in range(N)]),
        target=target,
        predicted=said,
        error=(target != said).astype(np.float64),
        weight=np.ones(N),
        classes=("a", "b", "c"),
    )


def predicted(folder: Path) -> int:
    found = predictions.read(folder / "dev.parquet").predicted
    assert len(found) == N
    assert len(np.unique(found)) == 1
    return int(found[0])


def examples() -> ExampleSet:
    draw = np.random.default_rng(0)
    return ExampleSet(
        name="made",
        inputs=draw.integers(0, 256, (N, 1, 4, 4), dtype=np.uint8),
        targets=np.arange(N, dtype=np.int64) % 3,
        classes=("a", "b", "c"),
        ids=np.array([f"e{i}" for i in range(N)]),
        sources=np.full(N, "s"),
    )


def prepare(folder: Path) -> None:
    one = examples()
    split = np.where(np.arange(N) % 4, "train", "dev")
    drawn = Assignment(split=split, cuts={}, digest=digest_of(one.ids, split))
    prepared.write(folder / "whole", one, drawn).check()


def is_prepared(folder: Path) -> int:
    if not (folder / "whole").exists():
        return 0
    prepared.open(folder / "whole").check()
    return 1


def spool(folder: Path, step: int) -> None:
    with closing(Spool(folder / "spool.jsonl")) as open_:
        open_.append({"loss": 1 / step, "a longer name of a metric": 0.5}, step)
        open_.sync()


def spooled(folder: Path) -> int:
    found = [point.step for point in points(folder / "spool.jsonl") if point.metric == "loss"]
    assert found in ([1], [1, 2])
    return len(found) - 1


def label(folder: Path, value: str) -> None:
    Ledger(f"sqlite:///{folder}/ledger.db").append(
        dataset="d", example_id="x", kind="label", value={"label": value * 50}, author="ann"
    )


def labelled(folder: Path) -> int:
    ledger = Ledger(f"sqlite:///{folder}/ledger.db")
    found = ledger.verify()
    assert found == len(ledger.events())
    return found - 1


def happen(folder: Path, first: int) -> None:
    events = [Event(kind="asked", trial=first + i, facts={"lr": 0.1 * i}) for i in range(5)]
    EventLog(f"sqlite:///{folder}/studies.db").append("study", first, events)


def happened(folder: Path) -> int:
    found = EventLog(f"sqlite:///{folder}/studies.db").read("study")
    assert [event.trial for event in found] == list(range(len(found)))
    assert len(found) in (5, 10)
    return len(found) // 5 - 1


STORES = {
    "predictions": Store(
        begin=lambda folder: predictions.write(folder / "dev.parquet", table(0)),
        change=lambda folder: predictions.write(folder / "dev.parquet", table(1)),
        state=predicted,
    ),
    "prepared data": Store(begin=lambda _: None, change=prepare, state=is_prepared),
    "spool": Store(
        begin=lambda folder: spool(folder, 1),
        change=lambda folder: spool(folder, 2),
        state=spooled,
    ),
    "ledger": Store(
        begin=lambda folder: label(folder, "cat"),
        change=lambda folder: label(folder, "dog"),
        state=labelled,
    ),
    "searches": Store(
        begin=lambda folder: happen(folder, 0),
        change=lambda folder: happen(folder, 5),
        state=happened,
    ),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    return STORES[request.param]


def fresh(store: Store, folder: Path) -> Path:
    folder.mkdir()
    store.begin(folder)
    return folder


def goes_on(store: Store, folder: Path) -> None:
    """A change that was cut can be made again, with the space that there is now."""
    if store.state(folder) == 0:
        store.change(folder)
    assert store.state(folder) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_t2_x2_killed_at_any_call_it_is_as_before_or_as_after(
    store: Store, tmp_path: Path, harness: ModuleType
) -> None:
    states = set()
    for nth in itertools.count(1):
        folder = fresh(store, tmp_path / str(nth))
        was_killed = harness.killed_at_call(lambda folder=folder: store.change(folder), nth)
        states.add(store.state(folder))
        goes_on(store, folder)
        if not was_killed:
            break
    assert nth > 2
    assert states == {0, 1}


def largest(folder: Path) -> int:
    return max((p.stat().st_size for p in folder.rglob("*") if p.is_file()), default=0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("killed", [True, False], ids=["killed", "disk full"])
def test_x1_cut_at_any_size_of_a_file_it_is_as_before_or_as_after(
    store: Store, tmp_path: Path, harness: ModuleType, killed: bool
) -> None:
    whole = fresh(store, tmp_path / "whole")
    store.change(whole)
    sizes = np.unique(np.linspace(0, largest(whole) + 4096, 40).astype(int)).tolist()
    cut = 0
    for limit in sizes:
        folder = fresh(store, tmp_path / str(limit))

        def change(folder: Path = folder) -> None:
            store.change(folder)

        if killed:
            cut += harness.killed_at_byte(change, limit)
        else:
            said = harness.refused_at_byte(change, limit)
            assert said == "" or said.split(":")[0] in ("StorageError", "ServiceError"), said
            cut += bool(said)
        assert store.state(folder) in (0, 1)
        goes_on(store, folder)
    assert 0 < cut < len(sizes)
