"""Several labels an example, against numbers worked by hand; unknown ones count nowhere."""

import math

import pytest
import torch
from torch.nn import functional as F

from gapwise.errors import PipelineError
from gapwise.labels import Labels
from gapwise.tasks.multi_label import MultiLabel
from gapwise.tasks.multi_task import MultiTask

PEOPLE = Labels(
    kind="several", names=("income", "work"), classes=(("low", "high"), ("none", "some", "much"))
)
WEATHER = Labels(kind="several", names=("wet", "cold"), classes=(("no", "yes"),) * 2)
OUTPUTS = torch.tensor([[2.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 3.0, 0.0, 0.0]])


def multi_task() -> MultiTask:
    task = MultiTask()
    task.use(PEOPLE, {})
    return task


def multi_label() -> MultiLabel:
    task = MultiLabel()
    task.use(WEATHER, {})
    return task


def test_the_cost_is_the_sum_over_the_known_labels() -> None:
    first = math.log1p(math.exp(-2))
    second = math.log(2 + math.e) - 1
    task = multi_task()
    loss = task.loss(OUTPUTS[[0, 0, 0]], torch.tensor([[0, 1], [0, -1], [-1, 1]]))
    assert loss.tolist() == pytest.approx([first + second, first, second], rel=1e-6)


def test_an_unknown_label_has_no_gradient() -> None:
    outputs = OUTPUTS.clone().requires_grad_()
    multi_task().loss(outputs, torch.tensor([[0, -1], [-1, 2]])).sum().backward()
    assert outputs.grad is not None
    assert outputs.grad[0, :2].all()
    assert not outputs.grad[0, 2:].any()
    assert not outputs.grad[1, :2].any()
    assert outputs.grad[1, 2:].all()


def test_each_head_predicts_its_own_class() -> None:
    task = multi_task()
    assert task.outputs(PEOPLE) == 5
    assert task.predict(OUTPUTS).tolist() == [[0, 1], [1, 0]]
    scores = task.scores(OUTPUTS)
    assert torch.allclose(scores[:, :2].sum(1), torch.ones(2))
    assert torch.allclose(scores[:, 2:], torch.softmax(OUTPUTS[:, 2:], 1))


@pytest.mark.parametrize("task", [multi_task(), multi_label()])
def test_the_error_is_the_share_of_known_labels_that_are_wrong(task) -> None:
    predicted = torch.tensor([[0, 1], [0, 1], [0, 1], [0, 1], [0, 1]])
    targets = torch.tensor([[0, 1], [1, 1], [1, -1], [-1, 1], [-1, -1]])
    assert task.error(predicted, targets).tolist() == [0, 0.5, 1, 0, 0]
    first, second = task.columns(predicted, targets).values()
    assert first[:3].tolist() == [0, 1, 1]
    assert first[3:].isnan().all()
    assert second[[0, 1, 3]].tolist() == [0, 0, 0]
    assert second[[2, 4]].isnan().all()


def test_columns_are_called_by_their_labels() -> None:
    known = torch.tensor([[0, 1]])
    assert list(multi_task().columns(known, known)) == ["error_income", "error_work"]


def test_sigmoids_are_independent() -> None:
    task = multi_label()
    outputs = torch.tensor([[2.0, 3.0], [-1.0, 0.0]])
    assert task.predict(outputs).tolist() == [[1, 1], [0, 0]]
    assert task.scores(outputs)[0].tolist() == pytest.approx(
        [1 / (1 + math.exp(-2)), 1 / (1 + math.exp(-3))]
    )
    loss = task.loss(outputs, torch.tensor([[1, 0], [0, -1]]))
    expected = [math.log1p(math.exp(-2)) + math.log1p(math.exp(3)), math.log1p(math.exp(-1))]
    assert loss.tolist() == pytest.approx(expected, rel=1e-6)


def test_two_classes_by_softmax_and_by_sigmoid_are_one_cost() -> None:
    """The softmax of (0, z) is the sigmoid of z."""
    task = MultiTask()
    task.use(WEATHER, {})
    z = torch.tensor([[0.7, -1.2]])
    as_softmax = torch.stack([torch.zeros_like(z), z], 2).reshape(1, 4)
    targets = torch.tensor([[1, 0]])
    assert task.loss(as_softmax, targets).tolist() == pytest.approx(
        multi_label().loss(z, targets).tolist()
    )
    bce = F.binary_cross_entropy_with_logits(z, targets.float(), reduction="sum")
    assert multi_label().loss(z, targets).tolist() == pytest.approx([float(bce)])


def test_sigmoids_want_two_classes_a_label() -> None:
    with pytest.raises(PipelineError, match=r"work has 3; set task: multi-task"):
        MultiLabel().use(PEOPLE, {})
