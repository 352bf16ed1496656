"""What holds for every registered task with class targets."""

import pytest
import torch

from gapwise.tasks.base import TASKS, Task

CLASSES = ("cat", "dog", "owl")


@pytest.fixture(params=TASKS.names())
def task(request: pytest.FixtureRequest) -> Task:
    return TASKS.get(request.param)()


@pytest.fixture
def outputs(task: Task) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(40, task.outputs(CLASSES), requires_grad=True)


TARGETS = torch.arange(40) % 3


def test_classify_is_found() -> None:
    assert "classify" in TASKS.names()


def test_loss_is_finite_an_example_and_has_a_gradient(task: Task, outputs: torch.Tensor) -> None:
    loss = task.loss(outputs, TARGETS)
    assert loss.shape == (40,)
    assert loss.dtype == torch.float32
    loss.mean().backward()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()


def test_loss_takes_bfloat16(task: Task, outputs: torch.Tensor) -> None:
    assert task.loss(outputs.bfloat16(), TARGETS).dtype == torch.float32


def test_error_is_in_the_unit_interval_and_0_for_the_truth(
    task: Task, outputs: torch.Tensor
) -> None:
    predicted = task.predict(outputs)
    error = task.error(predicted, TARGETS)
    assert error.shape == (40,)
    assert ((error >= 0) & (error <= 1)).all()
    assert error.any()
    assert not task.error(TARGETS, TARGETS).any()


def test_the_highest_score_is_predicted(task: Task, outputs: torch.Tensor) -> None:
    scores = task.scores(outputs)
    assert scores.shape == (40, 3)
    assert torch.equal(scores.argmax(1), task.predict(outputs))
