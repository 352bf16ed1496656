"""What holds for every registered optimizer."""

from typing import Any

import pytest
import torch

from gapwise.errors import PipelineError
from gapwise.pipeline_file import check_options
from gapwise.pipeline_parts import Part
from gapwise.training.optimizers.base import OPTIMIZERS

NAMES = OPTIMIZERS.names()


def weights(*start: float) -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.tensor([value])) for value in start]


def loss_of(parameters: list[torch.nn.Parameter]) -> torch.Tensor:
    return torch.stack([(p - 1).square().sum() for p in parameters]).sum()


def step(optimizer: Any, parameters: list[torch.nn.Parameter]) -> float:
    optimizer.zero_grad()
    loss_of(parameters).backward()
    optimizer.step()
    return loss_of(parameters).item()


def made(name: str, parameters: list[torch.nn.Parameter], **options: Any) -> Any:
    groups = [{"params": [p], "weight_decay": 0.0} for p in parameters]
    return OPTIMIZERS.get(name)(groups, False, **options)


def test_the_shipped_optimizers_are_found() -> None:
    assert {"adam", "momentum", "rmsprop", "gradient-descent"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_its_options_and_no_others(name: str) -> None:
    given = check_options(OPTIMIZERS, Part(name=name), "training.optimizer")
    assert given["lr"] > 0
    parameters = weights(3.0)
    optimizer = made(name, parameters, **given | {"lr": 0.003})
    assert [group["lr"] for group in optimizer.param_groups] == [0.003]
    with pytest.raises(PipelineError, match="no such option"):
        check_options(OPTIMIZERS, Part(name=name, lrr=1.0), "training.optimizer")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", NAMES)
def test_one_step_lowers_a_convex_loss(name: str) -> None:
    parameters = weights(3.0, -2.0)
    before = loss_of(parameters).item()
    assert step(made(name, parameters, lr=0.01), parameters) < before


@pytest.mark.parametrize("name", NAMES)
def test_the_default_rate_reaches_the_minimum(name: str) -> None:
    parameters = weights(1.2, 0.8)
    optimizer = made(name, parameters)
    losses = [step(optimizer, parameters) for _ in range(1000)]
    assert losses[-1] < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_the_schedules_scale_lr(name: str) -> None:
    """A rate of 0 moves nothing: what the schedule sets is the whole step."""
    parameters = weights(3.0)
    optimizer = made(name, parameters)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    step(optimizer, parameters)
    assert parameters[0].item() == 3.0


@pytest.mark.parametrize("name", NAMES)
def test_its_state_goes_on_where_it_stopped(name: str) -> None:
    """A resumed training takes the very steps of one that never stopped."""
    through, stopped = weights(3.0), weights(3.0)
    first, second = made(name, through, lr=0.01), made(name, stopped, lr=0.01)
    for _ in range(3):
        step(first, through)
        step(second, stopped)
    again = made(name, stopped, lr=0.01)
    again.load_state_dict(second.state_dict())
    for _ in range(3):
        step(first, through)
        step(again, stopped)
    assert torch.equal(through[0], stopped[0])
