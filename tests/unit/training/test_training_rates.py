"""Schedules and optimizers, against numbers worked by hand."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from gapwise.errors import PipelineError
from gapwise.networks.base import NETWORKS
from gapwise.training.learner import weight_groups
from gapwise.training.optimizers.base import OPTIMIZERS
from gapwise.training.recipe import build, overridden
from gapwise.training.schedules.cosine import Cosine
from gapwise.training.schedules.one_cycle import OneCycle


def test_one_cycle_is_that_of_torch() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=101)
    ours = OneCycle()
    for step in range(101):
        expected = optimizer.param_groups[0]["lr"]
        assert ours.factor(step, 101, 101) == pytest.approx(expected, abs=1e-12)
        optimizer.step()
        if step < 100:
            theirs.step()


def test_cosine_by_hand() -> None:
    schedule = Cosine(floor=0.1)
    assert schedule.factor(0, 101, 101) == 1
    assert schedule.factor(50, 101, 101) == pytest.approx(0.55)
    assert schedule.factor(100, 101, 101) == pytest.approx(0.1)


def test_cosine_warms_up_in_a_straight_line() -> None:
    schedule = Cosine(warmup=0.1)
    assert [schedule.factor(step, 100, 20) for step in (0, 4, 9)] == pytest.approx(
        [1 / 11, 5 / 11, 10 / 11]
    )
    assert schedule.factor(10, 100, 20) == 1


@pytest.mark.parametrize("fused", [False, True])
def test_one_adam_step_by_hand(fused: bool) -> None:
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    options = {"name": "adam", "lr": 0.1, "beta1": 0.8, "beta2": 0.9}
    optimizer = build(OPTIMIZERS, options, [{"params": [weight]}], fused)
    value, first, second = 1.0, 0.0, 0.0
    for t in (1, 2, 3):
        weight.grad = torch.tensor([0.5 * t], dtype=torch.float64)
        optimizer.step()
        first = 0.8 * first + 0.2 * 0.5 * t
        second = 0.9 * second + 0.1 * (0.5 * t) ** 2
        corrected = first / (1 - 0.8**t), second / (1 - 0.9**t)
        value -= 0.1 * corrected[0] / (math.sqrt(corrected[1]) + 1e-8)
        assert weight.item() == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("name", ["momentum", "gradient-descent"])
def test_descent_by_hand(name: str, fused: bool) -> None:
    weight = nn.Parameter(torch.tensor([1.0]))
    beta = 0.9 if name == "momentum" else 0.0
    optimizer = build(OPTIMIZERS, {"name": name, "lr": 0.1}, [{"params": [weight]}], fused)
    value, speed = 1.0, 0.0
    for gradient in (1.0, -0.5, 2.0):
        weight.grad = torch.tensor([gradient])
        optimizer.step()
        speed = beta * speed + gradient
        value -= 0.1 * speed
        assert weight.item() == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("fused", [False, True])
def test_momentum_by_the_notes_averages_the_gradients(fused: bool, nesterov: bool) -> None:
    """v ← βv + (1 − β)dW from v = 0, W ← W − αv (notes 3.10)."""
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    options = {"name": "momentum", "lr": 0.5, "beta": 0.8, "velocity": "average"}
    options |= {"nesterov": nesterov}
    optimizer = build(OPTIMIZERS, options, [{"params": [weight]}], fused)
    value, speed = 1.0, 0.0
    for gradient in (1.0, -0.5, 2.0):
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        speed = 0.8 * speed + 0.2 * gradient
        value -= 0.5 * (0.8 * speed + 0.2 * gradient if nesterov else speed)
        assert weight.item() == pytest.approx(value, rel=1e-12)
        # What is told as the learning rate is the notes' α.
        assert optimizer.param_groups[0]["lr"] == 0.5


def test_both_forms_of_momentum_take_the_same_steps_at_rates_1_over_1_minus_beta_apart() -> None:
    weights = [nn.Parameter(torch.tensor([3.0], dtype=torch.float64)) for _ in range(2)]
    forms = [{"velocity": "sum", "lr": 0.01}, {"velocity": "average", "lr": 0.1}]
    optimizers = [
        build(
            OPTIMIZERS, {"name": "momentum", **form}, [{"params": [w], "weight_decay": 0.3}], True
        )
        for form, w in zip(forms, weights, strict=True)
    ]
    for _ in range(20):
        for weight, optimizer in zip(weights, optimizers, strict=True):
            weight.grad = (weight - 1).detach()
            optimizer.step()
    assert weights[0].item() == pytest.approx(weights[1].item(), rel=1e-12)
    assert weights[0].item() != pytest.approx(3.0, rel=0.1)


def test_rmsprop_by_hand() -> None:
    """S ← β₂S + (1 − β₂)dW², W ← W − α·dW/(√S + ε) (notes 3.11)."""
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    options = {"name": "rmsprop", "lr": 0.1, "beta2": 0.8, "epsilon": 1e-3}
    optimizer = build(OPTIMIZERS, options, [{"params": [weight]}], True)
    value, square = 1.0, 0.0
    for gradient in (1.0, -0.5, 2.0):
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        square = 0.8 * square + 0.2 * gradient**2
        value -= 0.1 * gradient / (math.sqrt(square) + 1e-3)
        assert weight.item() == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("name", "option"), [("momentum", "beta"), ("rmsprop", "beta2")])
@pytest.mark.parametrize("value", [1.0, -0.5])
def test_a_decay_that_forgets_nothing_is_refused(name: str, option: str, value: float) -> None:
    with pytest.raises(PipelineError, match=f"{name}: {option} is .* less than 1"):
        build(OPTIMIZERS, {"name": name, option: value}, weight_groups(nn.Linear(2, 2), 0), True)


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_every_optimizer_has_a_rate_and_l2_spares_biases_and_norms(name: str) -> None:
    assert "lr" in OPTIMIZERS.options(name)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    optimizer = build(OPTIMIZERS, {"name": name}, weight_groups(network, 0.01), True)
    decayed = {
        tuple(weight.shape)
        for group in optimizer.param_groups
        for weight in group["params"]
        if group["weight_decay"] == 0.01
    }
    assert decayed == {(4, 3), (2, 4)}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 6


def test_unknown_option_gets_its_nearest_name() -> None:
    with pytest.raises(PipelineError, match=r"optimizer adam has no option 'bata1'.*beta1"):
        build(OPTIMIZERS, {"name": "adam", "bata1": 0.5}, [], True)


def test_overrides_do_not_touch_the_pipeline() -> None:
    pipeline: dict[str, Any] = {"training": {"optimizer": {"name": "adam"}}}
    changed = overridden(pipeline, {"training.optimizer.lr": 0.5, "training.l2": 1})
    assert changed == {"training": {"optimizer": {"name": "adam", "lr": 0.5}, "l2": 1}}
    assert pipeline == {"training": {"optimizer": {"name": "adam"}}}


@pytest.mark.parametrize("key", ["trainin.lr", "training.optimizer.name.x"])
def test_override_that_leads_nowhere_is_named(key: str) -> None:
    with pytest.raises(PipelineError, match=f"{key} leads nowhere"):
        overridden({"training": {"optimizer": {"name": "adam"}}}, {key: 1})


@pytest.mark.filterwarnings("ignore:Initializing zero-element")
@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"dropout": 2.0}, "dropout .* has to be between 0"),
        ({"channels": [0]}, "a layer has 0 units"),
        ({"channels": [-3]}, ".*negative dimension"),
    ],
)
def test_a_value_that_a_part_refuses_is_the_pipelines_fault(
    option: dict[str, Any], says: str
) -> None:
    part = {"name": "small-cnn", **option}
    with pytest.raises(PipelineError, match=f"network small-cnn: {says}"):
        build(NETWORKS, part, input_shape=(1, 8, 8), outputs=10)
