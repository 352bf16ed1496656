"""Stopped and resumed equals uninterrupted, to the bit; and the job is idempotent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gapwise.data.prepared import Prepared
from gapwise.errors import DataError, StoppedError, TrainingError, UsageError
from gapwise.records import Job, JobResult, NumericPlan
from gapwise.training import feeds
from gapwise.training.callbacks import Callback, Checkpoint, Epoch, Refused, Start, Step
from gapwise.training.checkpoints import read_checkpoint, weights_digest
from gapwise.training.job import run_job
from gapwise.training.learner import Learner
from gapwise.training.predict import predict

Make = Callable[..., Job]
CNN = {"name": "small-cnn", "channels": [4, 8], "dropout": 0.3}


class Log(Callback):
    """Everything that is told, in order."""

    def __init__(self) -> None:
        self.steps: dict[int, tuple[Any, ...]] = {}
        self.epochs: dict[int, tuple[Any, ...]] = {}
        self.starts: list[Start] = []
        self.refused: list[Refused] = []
        self.checkpoints: list[Checkpoint] = []
        self.ends: list[JobResult] = []
        self.order: list[str] = []

    def on_start(self, start: Start) -> None:
        self.starts.append(start)

    def on_refused(self, refused: Refused) -> None:
        self.refused.append(refused)

    def on_step(self, step: Step) -> None:
        entry = (step.epoch, step.loss, step.lr, step.examples)
        assert self.steps.setdefault(step.step, entry) == entry
        self.order.append(f"step {step.step}")

    def on_epoch(self, epoch: Epoch) -> None:
        entry = (epoch.step, tuple(epoch.metrics.items()), epoch.best)
        assert self.epochs.setdefault(epoch.epoch, entry) == entry
        self.order.append(f"epoch {epoch.epoch}")

    def before_checkpoint(self) -> None:
        self.order.append("before")

    def on_checkpoint(self, checkpoint: Checkpoint) -> None:
        self.checkpoints.append(checkpoint)
        self.order.append(f"checkpoint {checkpoint.step}")

    def on_end(self, result: JobResult) -> None:
        self.ends.append(result)


class StopAfter:
    """Says stop once, after some steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == 0


def outcome(job: Job) -> tuple[str, Any]:
    """Return the digest of all tensors of the last checkpoint, and its values but for seconds."""
    result = run_job(job)
    saved = read_checkpoint(Path(result.last_checkpoint))
    values = {k: v for k, v in saved.values.items() if k != "seconds"}
    return weights_digest(saved.tensors), values


def with_stops(job: Job, stops: Sequence[int], log: Log) -> None:
    for steps in stops:
        with pytest.raises(StoppedError, match="resume"):
            run_job(job, [log], should_stop=StopAfter(steps))
    run_job(job, [log])


OPTIMIZERS = [
    {"name": "adam", "lr": 0.01},
    {"name": "momentum", "lr": 0.05},
    {"name": "gradient-descent"},
]


def test_t3_stopped_while_dev_is_evaluated(make_job: Make) -> None:
    log = Log()
    # 10 steps, and the 11th time is asked after the first batch of dev.
    with_stops(make_job("stopped"), [11, 1], log)
    assert log.starts[1].step == 10
    assert log.starts[1].epoch == 0
    assert outcome(make_job("stopped")) == outcome(make_job("straight"))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: str(o["name"]))
@pytest.mark.parametrize("schedule", ["constant", "one-cycle", "cosine"])
def test_t3_stopped_in_mid_epoch_equals_uninterrupted(
    make_job: Make, optimizer: dict[str, Any], schedule: str
) -> None:
    settings = {"network": CNN, "optimizer": optimizer, "schedule": schedule, "l2": 1e-3}
    straight, stopped = Log(), Log()
    run_job(make_job("straight", **settings), [straight])
    with_stops(make_job("stopped", **settings), [3, 7, 1, 12, 10], stopped)
    assert stopped.steps == straight.steps
    assert stopped.epochs == straight.epochs
    assert outcome(make_job("stopped", **settings)) == outcome(make_job("straight", **settings))


KNOBS: dict[str, Any] = {
    "network": CNN | {"batch_norm": "before"},
    "initializer": {"name": "xavier", "mode": "both"},
    "optimizer": {"name": "rmsprop", "lr": 0.003},
    "schedule": "inverse-time",
    "accumulate": 2,
    "clip_norm": 0.5,
    "weight_average": {"beta": 0.9},
    "l2": 1e-3,
}


@pytest.mark.parametrize(
    "plan", [NumericPlan(fused=True), NumericPlan(dtype="bfloat16", channels_last=True)], ids=str
)
def test_t3_with_every_knob_on_stopped_equals_uninterrupted(
    make_job: Make, plan: NumericPlan
) -> None:
    """The fourth stop is while the averaged weights are evaluated on dev."""
    settings = KNOBS | {"plan": plan}
    straight, stopped = Log(), Log()
    run_job(make_job("straight", **settings), [straight])
    with_stops(make_job("stopped", **settings), [3, 4, 2, 2, 12], stopped)
    assert [start.step for start in stopped.starts[:5]] == [0, 3, 7, 9, 10]
    assert stopped.steps == straight.steps
    assert stopped.epochs == straight.epochs
    assert outcome(make_job("stopped", **settings)) == outcome(make_job("straight", **settings))


PLANS = [
    NumericPlan(channels_last=True, fused=True),
    NumericPlan(dtype="bfloat16", channels_last=True, fused=True),
    NumericPlan(fused=False),
    NumericPlan(threads=2, fused=True),
]


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_resume_is_equal_under_every_plan(make_job: Make, plan: NumericPlan) -> None:
    settings: dict[str, Any] = {"network": CNN, "plan": plan, "epochs": 2}
    with_stops(make_job("stopped", **settings), [5, 9], Log())
    assert outcome(make_job("stopped", **settings)) == outcome(make_job("straight", **settings))


def test_another_seed_is_another_training(make_job: Make) -> None:
    first, _ = outcome(make_job("a", epochs=1))
    second, _ = outcome(make_job("b", epochs=1, seed=8))
    assert first != second


def test_a_job_that_is_done_trains_nothing_and_says_the_same(make_job: Make) -> None:
    job, log = make_job(), Log()
    first = run_job(job)
    again = run_job(job, [log])
    assert not log.steps
    assert replace(again, examples_per_second=0) == replace(first, examples_per_second=0)
    assert log.ends == [again]


def test_more_epochs_go_on_and_equal_one_go(make_job: Make) -> None:
    first = run_job(make_job("rungs", epochs=2))
    assert first.epochs == 2
    assert outcome(make_job("rungs")) == outcome(make_job("one-go"))
    assert replace(run_job(make_job("rungs", epochs=2)), seconds=0) == replace(
        first, seconds=0, examples_per_second=0
    )


def test_t7_memory_and_disk_give_equal_results(
    make_job: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_memory = outcome(make_job("memory", network=CNN))
    monkeypatch.setattr(feeds, "memory_limit", lambda _: 0)
    assert outcome(make_job("disk", network=CNN)) == from_memory
    with_stops(make_job("stopped", network=CNN), [14], Log())
    assert outcome(make_job("stopped", network=CNN)) == from_memory


def test_train_dev_and_test_are_never_trained_on(
    make_job: Make, digits: Prepared, write_prepared: Callable[..., Prepared], tmp_path: Path
) -> None:
    images, targets = np.array(digits.inputs), digits.targets.copy()
    others = np.isin(digits.split, ["train_dev", "test"])
    images[others], targets[others] = 255, 3
    changed = write_prepared(tmp_path / "changed", images, targets, list(digits.split))
    (ours, values), (theirs, others_values) = (
        outcome(make_job("a")),
        outcome(make_job("b", data=changed)),
    )
    assert ours == theirs
    assert values["history"] == others_values["history"]


def test_best_epoch_is_the_first_of_the_lowest_dev_error(make_job: Make, digits: Prepared) -> None:
    job, log = make_job(optimizer={"name": "adam", "lr": 0.03}, epochs=12), Log()
    result = run_job(job, [log])
    errors = [dict(entry[1])["dev_error"] for entry in log.epochs.values()]
    assert result.best_epoch == errors.index(min(errors)) + 1
    assert result.best_dev_error == min(errors)
    assert log.epochs[result.best_epoch][2]
    predictions = predict(Path(job.folder), job, digits, "dev")
    assert predictions.error.mean() == pytest.approx(result.best_dev_error, abs=1e-12)
    kept = sorted(path.stem for path in Path(job.folder).glob("*.json"))
    assert Path(result.best_checkpoint).stem in kept
    assert len(kept) <= 4
    assert kept[-1] == Path(result.last_checkpoint).stem


def test_early_stopping_looks_at_dev(make_job: Make) -> None:
    job = make_job(
        epochs=40, early_stopping={"patience": 2}, optimizer={"name": "adam", "lr": 0.03}
    )
    result = run_job(job)
    assert result.stopped_early
    assert result.epochs == result.best_epoch + 2 < 40
    assert run_job(job).epochs == result.epochs


def test_everything_is_told_before_a_checkpoint(make_job: Make) -> None:
    log = Log()
    run_job(make_job(epochs=1, checkpoint_seconds=1e-9), [log])
    for at, entry in enumerate(log.order):
        if entry.startswith("checkpoint"):
            assert log.order[at - 1] == "before"
            told = {e for e in log.order[:at] if e.startswith("step")}
            assert told == {f"step {i}" for i in range(1, int(entry.split()[1]) + 1)}
    assert log.order[-3:] == ["epoch 1", "before", "checkpoint 10"]
    assert [c.step for c in log.checkpoints] == list(range(1, 11))
    assert [c.best for c in log.checkpoints] == [False] * 9 + [True]


def poisoned(monkeypatch: pytest.MonkeyPatch, at: int, value: float) -> None:
    """Make the loss of the ``at``-th step ``value``."""
    real, calls = Learner.step, iter(range(1, 10_000))

    def step(self: Learner, *args: Any) -> tuple[torch.Tensor, torch.Tensor]:
        loss, error = real(self, *args)
        return (loss * value, error) if next(calls) == at else (loss, error)

    monkeypatch.setattr(Learner, "step", step)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("at", [1, 10, 13])
def test_t4_loss_that_is_no_number_names_step_lr_and_examples(
    make_job: Make, monkeypatch: pytest.MonkeyPatch, at: int, value: float
) -> None:
    job, log = make_job(epochs=3), Log()
    with monkeypatch.context() as context:
        poisoned(context, at, value)
        with pytest.raises(
            TrainingError, match=rf"loss is {value} at step {at} \(lr 0.001"
        ) as told:
            run_job(job, [log])
    assert told.value.step == at
    assert len(told.value.example_ids) == 30
    assert set(log.epochs) == set(range(1, (at - 1) // 10 + 1))
    assert all(np.isfinite(entry[1]) for entry in log.steps.values())
    assert [c.step for c in log.checkpoints] == [10] * ((at - 1) // 10)
    assert ("no checkpoint yet" in str(told.value)) == (at <= 10)
    assert (f"checkpoint in {job.folder} is kept" in str(told.value)) == (at > 10)
    # The last good checkpoint serves: without the fault the training ends as ever.
    assert outcome(job) == outcome(make_job("straight", epochs=3))


@pytest.mark.parametrize("at", [4, 10])
def test_t4_weights_that_are_no_numbers_are_never_saved(
    make_job: Make, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    real, log, calls = Learner.step, Log(), iter(range(1, 99))

    def step(self: Learner, *args: Any) -> tuple[torch.Tensor, torch.Tensor]:
        told = real(self, *args)
        if next(calls) == at:
            with torch.no_grad():
                next(self.model.network.parameters())[0] = float("inf")
        return told

    monkeypatch.setattr(Learner, "step", step)
    with pytest.raises(TrainingError, match=f"a weight is NaN or infinite at step {at}"):
        run_job(make_job(checkpoint_seconds=1e-9), [log])
    assert [c.step for c in log.checkpoints] == list(range(1, at))
    assert not log.epochs


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("recipe.optimizer.lr", {"optimizer": {"name": "adam", "lr": 0.5}}),
    ("recipe.batch_size", {"batch_size": 60}),
    ("seed", {"seed": 8}),
    ("plan.threads", {"plan": NumericPlan(threads=2, fused=True)}),
    ("recipe.epochs", {"parameters": {"training.epochs": 9}}),
    ("recipe.batch_size", {"batch_size": "all"}),
    ("recipe.accumulate", {"accumulate": 2}),
    ("recipe.clip_norm", {"clip_norm": 1.0}),
    ("recipe.weight_average.beta", {"weight_average": {"beta": 0.9}}),
    ("recipe.initializer.name", {"initializer": "he"}),
    ("recipe.schedule.k", {"schedule": {"name": "inverse-epoch", "k": 2.0}}),
]


@pytest.mark.parametrize(("key", "change"), CHANGES, ids=lambda c: str(c))
def test_t7_t8_another_training_is_refused_with_what_changed(
    make_job: Make, key: str, change: dict[str, Any]
) -> None:
    run_job(make_job(epochs=1, optimizer={"name": "adam", "lr": 0.001}))
    changed = make_job(**({"optimizer": {"name": "adam", "lr": 0.001}} | change))
    with pytest.raises(UsageError, match=rf"{key}: .* → .*digests \w+ → \w+.*--force"):
        run_job(changed)
    assert run_job(changed, force=True).epochs == 4


def test_t8_other_data_is_refused(
    make_job: Make, digits: Prepared, write_prepared: Callable[..., Prepared], tmp_path: Path
) -> None:
    run_job(make_job(epochs=1))
    images = np.array(digits.inputs)
    images[0] = 0
    changed = write_prepared(tmp_path / "changed", images, digits.targets, list(digits.split))
    with pytest.raises(UsageError, match=r"data: \w+ → \w+"):
        run_job(make_job(data=changed))


def test_t8_forced_goes_on_from_a_whole_epoch(make_job: Make) -> None:
    with_job = make_job(epochs=3)
    with pytest.raises(StoppedError):
        run_job(with_job, should_stop=StopAfter(14))
    log = Log()
    run_job(make_job(epochs=3, batch_size=60), [log], force=True)
    assert (log.starts[0].epoch, log.starts[0].step) == (1, 10)
    assert set(log.epochs) == {2, 3}


def test_t8_another_network_is_refused_even_when_forced(make_job: Make) -> None:
    run_job(make_job(epochs=1))
    with pytest.raises(UsageError, match="does not fit the network"):
        run_job(make_job(network="small-cnn"), force=True)


def test_how_often_to_save_may_change(make_job: Make) -> None:
    run_job(make_job(epochs=1))
    assert run_job(make_job(checkpoint_seconds=5, early_stopping={"patience": 3})).epochs == 4


def test_d14_empty_dev_is_said(
    make_job: Make, write_prepared: Callable[..., Prepared], tmp_path: Path
) -> None:
    images = np.zeros((4, 1, 8, 8), np.uint8)
    bare = write_prepared(tmp_path / "bare", images, [0] * 4, ["train"] * 4)
    with pytest.raises(DataError, match="split dev of digits is empty"):
        run_job(make_job(data=bare))


def test_a_lone_last_example_does_not_trouble_batch_norm(
    make_job: Make, digits: Prepared, write_prepared: Callable[..., Prepared], tmp_path: Path
) -> None:
    split = ["train"] * 61 + ["dev"] * 40
    odd = write_prepared(tmp_path / "odd", digits.inputs[:101], digits.targets[:101], split)
    network = {"name": "multilayer-perceptron", "batch_norm": "before"}
    log = Log()
    run_job(make_job(data=odd, network=network, epochs=1), [log])
    assert [entry[3] for entry in log.steps.values()] == [30, 31]


def test_weights_of_examples_count(
    make_job: Make, digits: Prepared, write_prepared: Callable[..., Prepared], tmp_path: Path
) -> None:
    weights = np.where(digits.targets < 5, 1.0, 0.0)
    weighted = write_prepared(
        tmp_path / "weighted", digits.inputs, digits.targets, list(digits.split), weights=weights
    )
    job = make_job(data=weighted, epochs=3, optimizer={"name": "adam", "lr": 0.03})
    result = run_job(job)
    dev = predict(Path(job.folder), job, weighted, "dev")
    expected = float((dev.error * dev.weight).sum() / dev.weight.sum())
    assert result.best_dev_error == pytest.approx(expected)
    assert dev.error[dev.weight == 0].mean() > 0.9
