"""Exponentially weighted averages (notes 3.9), and the weights that they average."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gapwise.data.prepared import Prepared
from gapwise.errors import TrainingError, UsageError
from gapwise.records import Job
from gapwise.training.averages import ExponentialAverage
from gapwise.training.checkpoints import read_checkpoint
from gapwise.training.job import make_learner, run_job
from gapwise.training.learner import Learner
from gapwise.training.named_tensors import under_prefix
from gapwise.training.predict import load_network, predict
from gapwise.training.recipe import read_recipe

Make = Callable[..., Job]
BETA = 0.9
CNN = {"name": "small-cnn", "channels": [4, 8], "dropout": 0.3}


def averaged(values: list[float], beta: float) -> list[float]:
    """Return the average after each value."""
    average = ExponentialAverage([torch.zeros((), dtype=torch.float64)], beta)
    told = []
    for value in values:
        average.add([torch.tensor(value, dtype=torch.float64)])
        told.append(average.values[0].item())
    return told


def test_it_is_the_notes_corrected_average() -> None:
    """V ← βV + (1 − β)θ from 0, and V/(1 − βᵗ) where it is used."""
    values = np.random.default_rng(0).normal(10, 4, 300).tolist()
    running, expected = 0.0, []
    for t, value in enumerate(values, 1):
        running = 0.98 * running + 0.02 * value
        expected.append(running / (1 - 0.98**t))
    assert averaged(values, 0.98) == pytest.approx(expected, rel=1e-12)


def test_correction_saves_the_beginning() -> None:
    """Uncorrected, the first average of 40, 49 with β = 0.98 is 0.8: the notes' purple line."""
    assert averaged([40.0, 49.0], 0.98) == pytest.approx([40.0, (0.98 * 40 + 49) / 1.98])


@pytest.mark.parametrize(("beta", "values"), [(0.9, 10), (0.98, 50)])
def test_a_value_as_old_as_the_average_weighs_1_over_e(beta: float, values: int) -> None:
    """The notes' 0.9¹⁰ ≈ 0.98⁵⁰ ≈ 1/e: about 1/(1 − β) values count."""
    assert values == round(1 / (1 - beta))
    long = [0.0] * 2000
    newest = averaged([*long, 1.0], beta)[-1]
    old = averaged([*long, 1.0, *[0.0] * values], beta)[-1]
    assert old / newest == pytest.approx(beta**values, rel=1e-9)
    assert old / newest == pytest.approx(1 / math.e, rel=0.06)


def test_what_never_changes_is_kept_to_the_bit() -> None:
    average = ExponentialAverage([torch.zeros(3)], 0.999)
    value = torch.tensor([0.1, 1e-30, -7e20])
    for _ in range(50):
        average.add([value])
    assert torch.equal(average.values[0], value)


@pytest.mark.parametrize("beta", [-0.1, 1.0, float("nan")])
def test_a_beta_out_of_range_is_refused(beta: float) -> None:
    with pytest.raises(ValueError, match=r"beta is .*at least 0 and less than 1"):
        ExponentialAverage([], beta)


class Weights:
    """The weights after each step, as the learner leaves them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[dict[str, Tensor]] = []
        real = Learner.step

        def step(learner: Learner, *args: Any) -> tuple[Tensor, Tensor]:
            told = real(learner, *args)
            state = learner.model.network.state_dict()
            self.steps.append({k: v.double().clone() for k, v in state.items()})
            return told

        monkeypatch.setattr(Learner, "step", step)

    def average(self, name: str) -> Tensor:
        running: Tensor | float = 0.0
        for state in self.steps:
            running = BETA * running + (1 - BETA) * state[name]
        return torch.as_tensor(running) / (1 - BETA ** len(self.steps))


def test_checkpoints_and_predictions_hold_the_average_of_all_steps(
    make_job: Make, digits: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = Weights(monkeypatch)
    job = make_job(network=CNN, epochs=1, weight_average={"beta": BETA})
    result = run_job(job)
    network = load_network(Path(job.folder)).network
    floating = {k: v for k, v in network.state_dict().items() if v.is_floating_point()}
    assert any("running_var" in name for name in floating)
    for name, value in floating.items():
        assert torch.allclose(value.double(), weights.average(name), rtol=1e-5, atol=1e-7), name
        if value.ndim > 1:
            assert not torch.allclose(value.double(), weights.steps[-1][name], rtol=1e-3), name
    counts = [int(v) for k, v in network.state_dict().items() if "num_batches" in k]
    assert counts == [10] * len(counts)
    assert counts
    dev = predict(Path(job.folder), job, digits, "dev")
    assert dev.error.mean() == pytest.approx(result.best_dev_error, abs=1e-12)


def test_dev_is_judged_by_the_average_and_training_is_not_changed_by_it(make_job: Make) -> None:
    ends = {}
    for name, knob in (("with", {"beta": 0.95}), ("without", None)):
        job = make_job(name, optimizer={"name": "adam", "lr": 0.01}, weight_average=knob)
        ends[name] = read_checkpoint(Path(run_job(job).last_checkpoint))
    live = dict(under_prefix(ends["with"].tensors, "live."))
    plain = dict(under_prefix(ends["without"].tensors, "model."))
    assert live.keys() == plain.keys()
    assert all(torch.equal(live[name], plain[name]) for name in live)
    ours, theirs = (end.values["history"] for end in ends.values())
    assert [e["train_loss"] for e in ours] == [e["train_loss"] for e in theirs]
    assert all(a["dev_loss"] != b["dev_loss"] for a, b in zip(ours, theirs, strict=True))


def test_a_noisy_descent_is_judged_better_by_its_average(make_job: Make) -> None:
    """What the average is for: steps too large to settle, whose mean has settled."""
    noisy = {"optimizer": {"name": "gradient-descent", "lr": 0.5}, "batch_size": 5, "epochs": 4}
    plain = run_job(make_job("plain", **noisy))
    averaged_ = run_job(make_job("averaged", weight_average={"beta": 0.98}, **noisy))
    losses = [
        read_checkpoint(Path(result.last_checkpoint)).values["history"][-1]["dev_loss"]
        for result in (plain, averaged_)
    ]
    assert losses[1] < losses[0]


def test_frozen_weights_stay_to_the_bit(make_job: Make, digits: Prepared) -> None:
    job = make_job(weight_average={"beta": BETA})
    learner = make_learner(read_recipe(job.pipeline, {}), digits, job)
    assert learner.average is not None
    frozen = next(learner.model.network.parameters()).requires_grad_(False)
    before = frozen.detach().clone()
    for _ in range(20):
        learner.average.add()
    assert torch.equal(next(learner.judged.network.parameters()), before)


def test_an_average_that_is_no_number_is_never_saved(
    make_job: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Learner.step, iter(range(1, 99))

    def step(self: Learner, *args: Any) -> tuple[Tensor, Tensor]:
        told = real(self, *args)
        if next(calls) == 14:
            with torch.no_grad():
                next(self.judged.network.parameters())[0] = float("nan")
        return told

    monkeypatch.setattr(Learner, "step", step)
    with pytest.raises(TrainingError, match=r"a weight is NaN or infinite at step 20.* is kept"):
        run_job(make_job(weight_average={"beta": BETA}))


def test_the_knob_may_be_turned_only_by_force(make_job: Make) -> None:
    run_job(make_job(epochs=1))
    job = make_job(weight_average={"beta": BETA})
    with pytest.raises(UsageError, match=r"recipe\.weight_average\.beta: .* → 0\.9"):
        run_job(job)
    # The average begins with the first step after the knob was turned.
    saved = read_checkpoint(Path(run_job(job, force=True).last_checkpoint))
    assert int(saved.tensors["average.count"]) == 30


def test_without_the_knob_the_weights_themselves_go_on(make_job: Make, digits: Prepared) -> None:
    job = make_job(epochs=1, weight_average={"beta": BETA})
    saved = read_checkpoint(Path(run_job(job).last_checkpoint))
    off = make_job("off")
    learner = make_learner(read_recipe(off.pipeline, {}), digits, off)
    learner.restore(saved.tensors)
    live = dict(under_prefix(saved.tensors, "live."))
    assert all(torch.equal(live[k], v) for k, v in learner.model.state_dict().items())
    assert not any(name.startswith(("live.", "average.")) for name in learner.tensors())
