"""One step of the learner: parts of a batch, the longest gradient, L2, side branches, weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gapwise.data.prepared import Prepared
from gapwise.networks.base import Branched
from gapwise.records import Job
from gapwise.training.checkpoints import read_values
from gapwise.training.feeds import Batch
from gapwise.training.job import make_learner, run_job
from gapwise.training.learner import Learner
from gapwise.training.order import cut, epoch_batches
from gapwise.training.recipe import read_recipe

Make = Callable[..., Job]
MLP = {"name": "multilayer-perceptron", "hidden": [6], "dropout": 0.0}
DESCENT = {"name": "gradient-descent", "lr": 0.1}


@pytest.fixture
def learner_of(make_job: Make, digits: Prepared) -> Callable[..., Learner]:
    """Make a learner in float64 with the settings given."""

    def make(**settings: Any) -> Learner:
        job = make_job(**({"network": MLP, "optimizer": DESCENT} | settings))
        learner = make_learner(read_recipe(job.pipeline, {}), digits, job)
        learner.model.double()
        return learner

    return make


@pytest.fixture
def batch(digits: Prepared) -> Batch:
    positions = torch.from_numpy(digits.indices("train")[:23])
    weights = torch.linspace(0.1, 3.0, 23, dtype=torch.float64)
    inputs = torch.from_numpy(np.array(digits.inputs[:600]))[positions]
    return Batch(inputs, torch.from_numpy(digits.targets)[positions], weights, positions)


def plain(batch: Batch) -> Batch:
    return Batch(batch.inputs, batch.targets, None, batch.positions)


def gradients(learner: Learner) -> list[Tensor]:
    return [w.grad.clone() for w in learner.model.parameters() if w.grad is not None]


def weights(learner: Learner) -> dict[str, Tensor]:
    return {name: w.detach().clone() for name, w in learner.model.named_parameters()}


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("count", [2, 3, 4, 23, 99])
def test_parts_of_a_batch_add_up_to_its_gradient(
    learner_of: Callable[..., Learner], batch: Batch, count: int, weighted: bool
) -> None:
    batch = batch if weighted else plain(batch)
    whole, parted = learner_of(), learner_of(accumulate=count)
    expected, told = whole.step(batch, 1.0), parted.step(batch, 1.0)
    assert told[0].item() == pytest.approx(expected[0].item(), rel=1e-12)
    assert told[1].item() == pytest.approx(expected[1].item(), rel=1e-6)
    for ours, theirs in zip(gradients(parted), gradients(whole), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-14)
    for name, value in weights(whole).items():
        assert torch.allclose(value, weights(parted)[name], rtol=1e-10, atol=1e-14)


def test_parts_are_all_that_the_network_sees(
    learner_of: Callable[..., Learner], batch: Batch
) -> None:
    learner, sizes = learner_of(accumulate=4), []
    learner.model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    learner.step(batch, 1.0)
    assert sizes == [6, 6, 6, 5]


def test_a_training_in_parts_ends_as_one_in_whole_batches(make_job: Make) -> None:
    settings = {"network": MLP, "optimizer": DESCENT, "epochs": 2}
    whole = run_job(make_job("whole", **settings))
    parted = run_job(make_job("parted", accumulate=3, **settings))
    assert parted.best_dev_error == pytest.approx(whole.best_dev_error, abs=0.01)


def test_the_longest_gradient_is_followed_in_its_direction(
    learner_of: Callable[..., Learner], batch: Batch
) -> None:
    free, clipped, loose = learner_of(), learner_of(clip_norm=0.01), learner_of(clip_norm=1e9)
    for learner in (free, clipped, loose):
        learner.step(batch, 1.0)
    long = torch.cat([g.flatten() for g in gradients(free)])
    short = torch.cat([g.flatten() for g in gradients(clipped)])
    assert long.norm() > 0.1
    assert short.norm().item() == pytest.approx(0.01, rel=1e-4)
    assert torch.allclose(short / short.norm(), long / long.norm(), atol=1e-12)
    same = zip(gradients(free), gradients(loose), strict=True)
    assert all(torch.equal(a, b) for a, b in same)


def test_clipping_in_parts_is_of_the_whole_gradient(
    learner_of: Callable[..., Learner], batch: Batch
) -> None:
    whole, parted = learner_of(clip_norm=0.02), learner_of(clip_norm=0.02, accumulate=5)
    whole.step(batch, 1.0)
    parted.step(batch, 1.0)
    for ours, theirs in zip(gradients(parted), gradients(whole), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("fused", [True, False])
def test_the_l2_penalty_is_the_notes_cost_on_weights_alone(
    learner_of: Callable[..., Learner], batch: Batch, fused: bool
) -> None:
    """J = (1/m)ΣL + λ/(2m)·Σ‖W‖² (notes 3.4.1), by autograd in float64, is our l2 = λ/m."""
    lam, m = 0.7, len(batch.positions)
    network = {"name": "multilayer-perceptron", "hidden": [6], "batch_norm": "before"}
    learner = learner_of(l2=lam / m, network=network)
    learner.plan = learner.plan.__class__(fused=fused)
    before = weights(learner)
    outputs, losses = learner.losses(plain(batch))
    matrices = [w for w in learner.model.parameters() if w.ndim > 1]
    cost = losses.sum() / m + lam / (2 * m) * sum(w.square().sum() for w in matrices)
    names = list(before)
    expected = torch.autograd.grad(cost, list(learner.model.parameters()))
    learner.step(plain(batch), 1.0)
    after = weights(learner)
    for name, gradient in zip(names, expected, strict=True):
        assert torch.allclose(after[name], before[name] - 0.1 * gradient, rtol=1e-10, atol=1e-13)
    spared = [name for name in names if before[name].ndim == 1]
    assert len(spared) >= 3
    assert outputs.shape == (m, 10)


class TwoHeads(nn.Module):
    """A network with two side branches while it trains."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.heads = nn.ModuleList([nn.Linear(64, 10, dtype=torch.float64) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor | Branched:
        first, *sides = (head(x.flatten(1)) for head in self.heads)
        return Branched(first, tuple(sides), 0.3) if self.training else first


@pytest.mark.parametrize("count", [1, 3])
def test_side_branches_add_their_weighted_losses(
    learner_of: Callable[..., Learner], batch: Batch, digits: Prepared, count: int
) -> None:
    learner = learner_of(accumulate=count)
    learner.model.network = network = TwoHeads()
    learner.optimizer = torch.optim.SGD(learner.model.parameters())
    loss, error = learner.step(batch, 0.0)
    x = learner.model.normalised(batch.inputs).flatten(1)
    assert batch.weights is not None
    share = batch.weights / batch.weights.sum()
    losses = [
        (nn.functional.cross_entropy(head(x), batch.targets, reduction="none") * share).sum()
        for head in network.heads
    ]
    expected = losses[0] + 0.3 * (losses[1] + losses[2])
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    theirs = torch.autograd.grad(expected, list(network.parameters()))
    for weight, gradient in zip(network.parameters(), theirs, strict=True):
        assert weight.grad is not None
        assert torch.allclose(weight.grad, gradient, rtol=1e-9, atol=1e-13)
    # What is predicted, and judged, is the main branch alone.
    wrong = (network.heads[0](x).argmax(1) != batch.targets).double()
    assert error.item() == pytest.approx((wrong * share).sum().item(), rel=1e-6)


@pytest.mark.parametrize("count", [1, 4])
def test_a_batch_of_which_nothing_counts_moves_nothing(
    learner_of: Callable[..., Learner], batch: Batch, count: int
) -> None:
    learner = learner_of(accumulate=count)
    before = weights(learner)
    nothing = Batch(batch.inputs, batch.targets, torch.zeros(23), batch.positions)
    loss, error = learner.step(nothing, 1.0)
    assert loss == error == 0
    assert all(torch.equal(before[name], value) for name, value in weights(learner).items())


def test_batches_of_all_and_of_one() -> None:
    positions = np.arange(7)
    assert [list(b) for b in cut(positions, "all")] == [list(range(7))]
    assert [list(b) for b in cut(positions, 1)] == [[i] for i in range(7)]
    assert [list(b) for b in cut(positions, 3)] == [[0, 1, 2], [3, 4, 5, 6]]
    assert cut(positions[:0], "all") == []
    (batch,) = epoch_batches(positions, "all", seed=0, epoch=1)
    assert sorted(batch) == list(positions)


def test_batch_gradient_descent_takes_one_step_an_epoch(
    make_job: Make, digits: Prepared, learner_of: Callable[..., Learner]
) -> None:
    """J falls at each step of the whole batch, which no mini-batch promises (notes 3.8)."""
    settings = {"network": MLP, "optimizer": DESCENT | {"lr": 0.05}, "augmentation": {}}
    losses = []
    for accumulate in (1, 4):
        job = make_job(f"all-{accumulate}", batch_size="all", accumulate=accumulate, **settings)
        result = run_job(job)
        assert result.last_checkpoint.endswith("step-00000004.json")
        losses.append(_losses(result.last_checkpoint))
    assert sorted(losses[0], reverse=True) == losses[0]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_stochastic_descent_takes_one_step_an_example(make_job: Make) -> None:
    settings = {"network": MLP, "optimizer": DESCENT | {"lr": 0.03}, "augmentation": {}}
    result = run_job(make_job(batch_size=1, epochs=1, **settings))
    assert result.last_checkpoint.endswith("step-00000300.json")
    assert result.best_dev_error < 0.6


def _losses(checkpoint: str) -> list[float]:
    return [metrics["train_loss"] for metrics in read_values(Path(checkpoint))["history"]]
