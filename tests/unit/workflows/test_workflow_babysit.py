"""`gapwise babysit`: from rung to rung, knobs turned, every change kept."""

import json
from pathlib import Path

import pytest

from gapwise.errors import PipelineError, UsageError
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows.babysit import babysit
from gapwise.workflows.train import resume

QUICK = [
    "network={name: multilayer-perceptron, hidden: [16]}",
    "training.epochs=9",
    "training.device=cpu",
    "training.threads=1",
]


@pytest.fixture
def begun(home: Path) -> str:
    sitting = babysit("digits", QUICK)
    assert (sitting.epoch, sitting.epochs, sitting.over) == (1, 9, False)
    return sitting.run_id


def test_it_pauses_at_rungs_and_ends_as_a_finished_run(begun: str) -> None:
    store = RunStore(Settings.read())
    assert store.open(begun).status == "KILLED"
    assert babysit(begun).epoch == 3
    last = babysit(begun)
    assert (last.epoch, last.over) == (9, True)
    run = store.open(begun)
    assert run.status == "FINISHED"
    assert set(run.splits()) == {"train", "train_dev", "dev", "test"}
    with pytest.raises(UsageError, match="has finished; babysit one that was stopped"):
        babysit(begun)


def test_untouched_it_trains_what_an_unpaused_run_trains(begun: str) -> None:
    babysit(begun, epochs=4)
    last = babysit(begun, epochs=99)
    whole = babysit("digits", QUICK, epochs=9)
    assert last.over
    assert whole.over
    assert last.history == whole.history


def test_every_turn_is_kept_and_counts_from_then_on(begun: str) -> None:
    turned = ("training.optimizer.lr=0.05", "training.augmentation.rotation=10")
    sitting = babysit(begun, turned, epochs=2)
    assert [(one["epoch"], one["key"], one["after"]) for one in sitting.changes] == [
        (1, "training.optimizer.lr", "0.05"),
        (1, "training.augmentation.rotation", "10"),
    ]
    assert sitting.changes[0]["before"] == 0.001
    store = RunStore(Settings.read())
    run = store.open(begun)
    assert run.folder is not None
    lines = (run.folder / "babysit.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == [one["key"] for one in sitting.changes]
    pipeline = run.pipeline()
    assert pipeline is not None
    assert pipeline["training"]["optimizer"]["lr"] == 0.05
    assert run.tags["gapwise.babysat"] == "2"
    # the rate that was turned is the one that is trained with
    _, rates, _ = run.history("lr")
    assert rates[0] == 0.001
    assert rates[-1] == 0.05
    # and an ordinary resume goes on with it
    resume(begun)
    assert store.open(begun).status == "FINISHED"


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ("network.hidden=[8]", UsageError, "cannot be turned while a training pauses"),
        ("training.optimizer.name=momentum", UsageError, "its weights would not fit"),
        ("training.optimizer.rl=1", PipelineError, "has no such option; did you mean lr"),
        ("training.l2=much", PipelineError, 'is "much", but'),
    ],
)
def test_a_wrong_turn_changes_nothing(
    begun: str, change: str, kind: type[Exception], says: str
) -> None:
    run = RunStore(Settings.read()).open(begun)
    assert run.folder is not None
    before = (run.folder / "job.json").read_text()
    with pytest.raises(kind, match=says):
        babysit(begun, [change])
    assert (run.folder / "job.json").read_text() == before
    assert not (run.folder / "babysit.jsonl").exists()
