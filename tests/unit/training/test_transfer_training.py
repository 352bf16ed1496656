"""Fine-tuning: weights that are taken over, layers that are frozen, and layers that thaw."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gapwise.data import prepared as prepared_data
from gapwise.data.assignment import Assignment
from gapwise.data.prepared import Prepared
from gapwise.errors import PipelineError, StoppedError, StorageError, UsageError
from gapwise.records import ExampleSet, Job
from gapwise.training import feeds, freezing, frozen_features
from gapwise.training.callbacks import Callback, Start, Step
from gapwise.training.checkpoints import read_checkpoint, weights_digest
from gapwise.training.job import make_learner, run_job
from gapwise.training.learner import Learner
from gapwise.training.recipe import read_recipe

Make = Callable[..., Job]

SMALL = {"name": "small-cnn", "channels": [4, 6], "hidden": 0, "batch_norm": "before"}
WITHOUT = {"mirror": False, "shift": 0}


class Log(Callback):
    def __init__(self) -> None:
        self.steps: dict[int, Step] = {}
        self.parameters: list[int] = []

    def on_start(self, start: Start) -> None:
        self.parameters.append(start.parameters)

    def on_step(self, step: Step) -> None:
        self.steps[step.step] = step


class StopAfter:
    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.fixture
def start(make_job: Make, tmp_path: Path) -> tuple[Path, str]:
    """The weights of a small CNN that was trained on digits for two epochs."""
    result = run_job(make_job("pretrained", network=SMALL, epochs=2, augmentation=WITHOUT))
    state = model_of(result.best_checkpoint)
    path = tmp_path / "start.safetensors"
    save_file(state, path)
    return path, weights_digest(state)


@pytest.fixture
def tune(make_job: Make, start: tuple[Path, str], digits: Prepared) -> Make:
    """Make a job that starts from ``start``; keywords: the section transfer, then the job's."""

    def make(folder: str = "tuned", transfer: Mapping[str, Any] | None = None, **more: Any) -> Job:
        job = make_job(folder, **({"network": SMALL, "augmentation": WITHOUT, "seed": 11} | more))
        section = {
            "start": "pretrained", "head": "replace", "train_last": None, "unfreeze_at": None,
            "unfreeze_lr": 0.1, "precompute": False, **(transfer or {}),
        }  # fmt: skip
        pipeline = {**job.pipeline, "transfer": section}
        return replace(job, pipeline=pipeline, start=str(start[0]), start_digest=start[1])

    shutil.rmtree(features_of(digits), ignore_errors=True)
    return make


def features_of(prepared: Prepared) -> Path:
    return prepared.folder.with_name(f"{prepared.folder.name}-features")


def model_of(checkpoint: str) -> dict[str, torch.Tensor]:
    tensors = read_checkpoint(Path(checkpoint)).tensors
    return {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}


def learner_of(job: Job) -> Learner:
    return make_learner(read_recipe(job.pipeline, {}), prepared_data.open(Path(job.data)), job)


def outcome(job: Job) -> tuple[int, float, str]:
    result = run_job(job)
    return (
        result.best_epoch,
        result.best_dev_error,
        weights_digest(model_of(result.last_checkpoint)),
    )


def head_of(state: Mapping[str, torch.Tensor]) -> set[str]:
    """The last two tensors with ten outputs are the head's, however the layer is called."""
    return {name for name, tensor in state.items() if len(tensor.shape) and tensor.shape[0] == 10}


def test_all_but_the_head_are_the_starts_and_the_head_is_the_seeds(
    tune: Make, make_job: Make, start: tuple[Path, str]
) -> None:
    given = load_file(start[0])
    state = learner_of(tune()).model.state_dict()
    fresh = learner_of(make_job("fresh", network=SMALL, seed=11)).model.state_dict()
    head = head_of(given)
    assert len(head) == 2
    for name, tensor in state.items():
        assert torch.equal(tensor, fresh[name] if name in head else given[name]), name
    other = learner_of(tune(seed=12)).model.state_dict()
    assert {n for n in state if not torch.equal(state[n], other[n])} == {
        name for name in head if name.endswith("weight")
    }


def test_a_kept_head_is_the_starts_too(tune: Make, start: tuple[Path, str]) -> None:
    state = learner_of(tune(transfer={"head": "keep"})).model.state_dict()
    given = load_file(start[0])
    assert all(torch.equal(tensor, given[name]) for name, tensor in state.items())


def test_inputs_are_normalised_as_the_weights_learned_them(
    tune: Make, digits: Prepared, write_prepared: Callable[..., Prepared], tmp_path: Path
) -> None:
    """Darker pictures of the same digits keep the start's mean, and not their own."""
    darker = write_prepared(
        tmp_path / "darker", np.array(digits.inputs) // 2, digits.targets, list(digits.split)
    )
    model = learner_of(tune(data=darker)).model
    assert np.allclose(model.mean.flatten(), digits.normalisation[0])
    assert not np.allclose(darker.normalisation[0], digits.normalisation[0], rtol=0.1)


def test_without_a_known_normalisation_the_new_training_sets_counts(
    tune: Make, start: tuple[Path, str], digits: Prepared, tmp_path: Path
) -> None:
    bare = {k: v for k, v in load_file(start[0]).items() if k.startswith("network.")}
    save_file(bare, tmp_path / "bare.safetensors")
    job = replace(
        tune(), start=str(tmp_path / "bare.safetensors"), start_digest=weights_digest(bare)
    )
    assert np.allclose(learner_of(job).model.mean.flatten(), digits.normalisation[0])


def test_frozen_layers_and_their_running_averages_do_not_move(
    tune: Make, start: tuple[Path, str]
) -> None:
    result = run_job(tune(transfer={"train_last": 1}))
    before, after = load_file(start[0]), model_of(result.last_checkpoint)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == head_of(before)
    assert any("running_mean" in name for name in before)


def test_without_freezing_running_averages_do_move(tune: Make, start: tuple[Path, str]) -> None:
    after = model_of(run_job(tune(epochs=1)).last_checkpoint)
    before = load_file(start[0])
    assert all(
        not torch.equal(before[name], after[name]) for name in before if "running_mean" in name
    )


def test_the_optimizer_and_the_count_know_only_what_trains(tune: Make) -> None:
    learner = learner_of(tune(transfer={"train_last": 1}))
    held = [w for group in learner.optimizer.param_groups for w in group["params"]]
    assert sorted(tuple(w.shape) for w in held) == sorted(
        tuple(w.shape) for w in learner.model.parameters() if w.requires_grad
    )
    log = Log()
    run_job(tune(epochs=1, transfer={"train_last": 1}), [log])
    assert log.parameters == [sum(w.numel() for w in held)]
    assert log.parameters[0] < sum(w.numel() for w in learner.model.parameters())


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_last_layers_train_with_their_batch_norm(tune: Make, count: int) -> None:
    model = learner_of(tune(transfer={"train_last": count})).model
    trains = [name for name, w in model.named_parameters() if w.requires_grad]
    matrices = [name for name, w in model.named_parameters() if w.ndim > 1]
    assert [name for name in trains if name in matrices] == matrices[-count:]
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert sum(norm.training for norm in norms) == max(0, count - 1)
    assert all(norm.weight.requires_grad == norm.training for norm in norms)


def test_dropout_that_feeds_what_trains_goes_on_dropping(tune: Make) -> None:
    network = {"name": "multilayer-perceptron", "hidden": [16, 12], "dropout": 0.5}
    plain = tune(network=network)
    job = replace(plain, start="", start_digest="")
    section = {**job.pipeline["transfer"], "train_last": 1}
    model = learner_of(replace(job, pipeline={**job.pipeline, "transfer": section})).model
    dropping = [m for m in model.modules() if isinstance(m, torch.nn.Dropout)]
    assert [m.training for m in dropping] == [False, True]


def test_more_layers_than_there_are_are_refused_by_name(tune: Make) -> None:
    with pytest.raises(PipelineError, match=r"train_last is 9, but network small-cnn has 3 layers"):
        run_job(tune(transfer={"train_last": 9}))


def test_weights_that_do_not_fit_are_listed(tune: Make) -> None:
    with pytest.raises(PipelineError) as told:
        run_job(tune(network={**SMALL, "channels": [4, 7, 8]}))
    said = str(told.value)
    assert said.startswith("the weights of transfer.start do not fit network small-cnn: 5 missing ")
    assert "5 of another shape (" in said
    assert "(6, 4, 3, 3) in place of (7, 4, 3, 3)" in said


def test_what_is_too_much_is_listed_too(tune: Make) -> None:
    with pytest.raises(PipelineError, match=r"unexpected \([\w.]+, [\w.]+.*name the network"):
        run_job(tune(network={**SMALL, "batch_norm": "none"}))


def test_another_count_of_classes_needs_a_new_head(
    tune: Make, digits: Prepared, tmp_path: Path
) -> None:
    examples = ExampleSet(
        name="odd",
        inputs=np.array(digits.inputs),
        targets=np.array(digits.targets) % 2,
        classes=("even", "odd"),
        ids=digits.ids,
        sources=digits.sources,
    )
    odd = prepared_data.write(
        tmp_path / "odd", examples, Assignment(split=digits.split, cuts={}, digest="of a test")
    )
    with pytest.raises(PipelineError, match=r"\(10, .*in place of \(2, .*head=replace"):
        run_job(tune(data=odd, transfer={"head": "keep"}))
    adam = {"name": "adam", "lr": 0.01}
    result = run_job(tune(data=odd, transfer={"train_last": 1}, optimizer=adam))
    assert result.best_dev_error < 0.25


def test_other_weights_under_the_same_name_are_refused(tune: Make, start: tuple[Path, str]) -> None:
    job = tune()
    state = load_file(start[0])
    state["mean"] = state["mean"] + 1
    save_file(state, start[0])
    with pytest.raises(StorageError, match="not those that the run started from"):
        run_job(job)
    start[0].unlink()
    with pytest.raises(StorageError, match="cannot be read"):
        run_job(job)


def test_t8_another_start_is_refused(tune: Make, start: tuple[Path, str]) -> None:
    run_job(tune(epochs=1))
    state = load_file(start[0])
    state["mean"] = state["mean"] + 1
    other = start[0].with_name("other.safetensors")
    save_file(state, other)
    changed = replace(tune(), start=str(other), start_digest=weights_digest(state))
    with pytest.raises(UsageError, match=r"start: \w+ → \w+"):
        run_job(changed)


def test_a_job_without_its_start_is_refused(tune: Make) -> None:
    with pytest.raises(PipelineError, match="no weights to start from"):
        run_job(replace(tune(), start="", start_digest=""))


# --- unfreezing -----------------------------------------------------------------------------------

LATER = {"train_last": 1, "unfreeze_at": 3}


def test_all_layers_train_from_the_epoch_named_at_a_lower_rate(
    tune: Make, start: tuple[Path, str]
) -> None:
    log, job = Log(), tune(transfer=LATER)
    run_job(replace(job, epochs=2), [log])
    given = load_file(start[0])
    frozen = model_of(str(newest(job)))
    run_job(job, [log])
    thawed = model_of(str(newest(job)))
    others = set(given) - head_of(given) - {"mean", "deviation"}
    assert all(torch.equal(given[name], frozen[name]) for name in others)
    assert all(not torch.equal(given[name], thawed[name]) for name in others)
    rates = [log.steps[at].lr for at in (1, 20, 21, 40)]
    assert rates == pytest.approx([0.001, 0.001, 0.0001, 0.0001])


@pytest.mark.parametrize("at", [14, 20, 21, 27])
@pytest.mark.parametrize("precompute", [False, True], ids=["inputs", "features"])
def test_stopped_on_either_side_of_the_boundary_it_ends_the_same(
    tune: Make, at: int, precompute: bool
) -> None:
    section = LATER | {"precompute": precompute}
    straight = outcome(tune("straight", section))
    job = tune(transfer=section)
    with pytest.raises(StoppedError):
        run_job(job, should_stop=StopAfter(at))
    assert outcome(job) == straight


def test_what_is_known_of_the_head_outlives_the_thaw(tune: Make) -> None:
    """The moments of Adam go on where they were for the head, and start at 0 for the rest."""
    learner = learner_of(tune(transfer=LATER))
    batch = next(feeds.open_feed(prepared_of(tune()), learner.device).batches([np.arange(30)]))
    for _ in range(3):
        learner.step(batch, 1.0)
    learner.thaw(0.5)
    learner.step(batch, 1.0)
    steps = [int(entry["step"]) for entry in learner.optimizer.state.values()]
    assert sorted(set(steps)) == [1, 4]
    assert steps.count(4) == 2
    assert learner.lr(1.0) == pytest.approx(0.0005)
    decays = {
        w.ndim > 1: group["weight_decay"]
        for group in learner.optimizer.param_groups
        for w in group["params"]
    }
    assert decays == {True: 0.0, False: 0.0}


def test_the_l2_penalty_goes_on_acting_on_weights_alone_after_the_thaw(tune: Make) -> None:
    learner = learner_of(tune(transfer=LATER, l2=0.01))
    learner.thaw(1.0)
    found = {
        (w.ndim > 1, group["weight_decay"])
        for group in learner.optimizer.param_groups
        for w in group["params"]
    }
    assert found == {(True, 0.01), (False, 0.0)}
    held = [w for group in learner.optimizer.param_groups for w in group["params"]]
    assert len(held) == len(set(held)) == len(list(learner.model.parameters()))


def test_an_epoch_that_never_comes_is_refused(tune: Make) -> None:
    with pytest.raises(PipelineError, match=r"unfreeze_at is 9, but training\.epochs is 4"):
        run_job(tune(transfer={"train_last": 1, "unfreeze_at": 9}))


def newest(job: Job) -> Path:
    return max(Path(job.folder).glob("step-*.json"))


def prepared_of(job: Job) -> Prepared:
    return prepared_data.open(Path(job.data))


# --- precomputing ---------------------------------------------------------------------------------

ONCE = {"train_last": 1, "precompute": True}


@pytest.mark.parametrize("last", [1, 2])
@pytest.mark.parametrize("average", [None, {"beta": 0.9}], ids=["weights", "average"])
def test_precomputed_equals_computed_each_time(
    tune: Make, last: int, average: Mapping[str, float] | None
) -> None:
    """Within 1e-5: sums may run in another order where batches are cut otherwise."""
    results = []
    for precompute in (False, True):
        section = {"train_last": last, "precompute": precompute}
        job = tune(f"once-{precompute}", section, weight_average=average)
        results.append((run_job(job), model_of(str(newest(job)))))
    (first, before), (second, after) = results
    assert first.best_dev_error == second.best_dev_error
    assert first.best_epoch == second.best_epoch
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, rtol=1e-5, atol=1e-5, msg=name)


def test_inputs_are_not_looked_at_again(tune: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 digits to train and 150 of dev go through the frozen layers once, in all four epochs."""
    real, seen = freezing.frozen_outputs, list[int]()

    def count(model: Any, inputs: torch.Tensor) -> torch.Tensor:
        seen.append(len(inputs))
        return real(model, inputs)

    monkeypatch.setattr(frozen_features, "frozen_outputs", count)
    run_job(tune(transfer=ONCE))
    assert sum(seen) == 450
    run_job(tune("another-seed", ONCE, seed=12))
    assert sum(seen) == 450  # the next seed finds them in the cache
    run_job(tune("wider", {"train_last": 2, "precompute": True}))
    assert sum(seen) == 900


def test_large_features_stay_on_the_disk(tune: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory = outcome(tune("memory", ONCE))
    monkeypatch.setattr(feeds, "memory_limit", lambda device: 0)
    job = tune("disk", ONCE)
    opened: list[str] = []
    real = feeds.StreamFeed.__init__

    def note(self: Any, source: Any, device: Any) -> None:
        opened.append(type(source.inputs).__name__)
        real(self, source, device)

    monkeypatch.setattr(feeds.StreamFeed, "__init__", note)
    assert outcome(job) == in_memory
    assert set(opened) == {"memmap"}


def test_a_torn_file_is_not_taken_for_whole(tune: Make, digits: Prepared) -> None:
    """Stopped while the frozen layers are computed, nothing is left that a later run would find."""
    job = tune(transfer=ONCE)
    with pytest.raises(StoppedError, match="while frozen layers"):
        run_job(job, should_stop=StopAfter(0))
    folder = features_of(digits)
    assert list(folder.iterdir()) == []
    assert outcome(job) == outcome(tune("straight", ONCE))
    assert len(list(folder.iterdir())) == 1


def test_old_features_make_room(
    tune: Make, digits: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen_features, "KEPT", 1)
    for last in (1, 2):
        job = tune(f"last-{last}", {"train_last": last, "precompute": True}, epochs=1)
        run_job(job)
    folder = features_of(digits)
    assert len(list(folder.iterdir())) == 1


def test_augmentation_is_refused_by_name(tune: Make) -> None:
    with pytest.raises(PipelineError, match=r"training\.augmentation \(shift\) shows them other"):
        run_job(tune(transfer=ONCE, augmentation={"shift": 1}))


def test_nothing_frozen_is_nothing_to_precompute(tune: Make) -> None:
    with pytest.raises(PipelineError, match="trains all layers of network small-cnn"):
        run_job(tune(transfer={"train_last": 3, "precompute": True}))


@pytest.mark.parametrize("at", [3, 10, 26])
def test_stopped_and_resumed_on_features_equals_uninterrupted(tune: Make, at: int) -> None:
    straight = outcome(tune("straight", ONCE))
    job = tune(transfer=ONCE)
    with pytest.raises(StoppedError):
        run_job(job, should_stop=StopAfter(at))
    assert outcome(job) == straight
