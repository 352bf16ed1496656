"""What holds for every registered task, with targets of its kind."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gapwise.errors import DataError, PipelineError
from gapwise.labels import Labels, one_class
from gapwise.tasks.base import TASKS, Judged, Task

N = 40
POSITIONS = torch.arange(N)
SIDE = 16
GRID = {"row": (), "grid": (4, 4), "pixels": (SIDE, SIDE)}
"""Height and width of the outputs that a task wants."""


def box_targets() -> torch.Tensor:
    """One object a picture of one of three classes, none on every eighth."""
    x0, y0 = POSITIONS % 5, POSITIONS % 7
    boxes = torch.stack([POSITIONS % 3, x0, y0, x0 + 6 + POSITIONS % 4, y0 + 8], 1).float()
    boxes[::8] = torch.tensor([-1.0, 0, 0, 0, 0])
    return boxes[:, None]


def point_targets() -> torch.Tensor:
    """Three points a picture; the second is unknown on every fifth."""
    points = torch.stack([POSITIONS % 9, POSITIONS % 11], 1).float()[:, None]
    points = points + torch.tensor([[0.0, 0.0], [3.0, 1.0], [1.0, 4.0]])
    points[::5, 1] = torch.nan
    return points


def mask_targets() -> torch.Tensor:
    """A square of one of three classes on a background, with an unknown corner."""
    masks = torch.zeros(N, SIDE, SIDE, dtype=torch.uint8)
    for row, mask in enumerate(masks):
        mask[2 + row % 5 : 9, 3 : 8 + row % 7] = 1 + row % 3
        mask[:2, :2] = 255
    return masks


EXTENT = (SIDE, SIDE)
ABC = ("a", "b", "c")
KINDS = {
    "class": (one_class(("cat", "dog", "owl")), POSITIONS % 3),
    "number": (Labels(kind="number", names=("price",)), 100 + 7.0 * (POSITIONS % 11)),
    "several": (
        Labels(kind="several", names=("wet", "cold"), classes=(("no", "yes"), ("no", "yes"))),
        torch.stack([POSITIONS % 2, POSITIONS // 2 % 2], 1),
    ),
    "boxes": (
        Labels(kind="boxes", names=("thing",), classes=(ABC,), extent=EXTENT),
        box_targets(),
    ),
    "points": (Labels(kind="points", names=ABC, extent=EXTENT), point_targets()),
    "mask": (
        Labels(kind="mask", names=("thing",), classes=(("nothing", *ABC),), extent=EXTENT),
        mask_targets(),
    ),
}


def made(name: str) -> Task:
    task = TASKS.get(name)()
    labels, targets = KINDS[task.kind]
    task.use(labels, TASKS.get(name)().fit(labels, targets.numpy()))
    return task


@pytest.fixture(params=TASKS.names())
def task(request: pytest.FixtureRequest) -> Task:
    return made(request.param)


@pytest.fixture
def targets(task: Task) -> torch.Tensor:
    return KINDS[task.kind][1]


@pytest.fixture
def outputs(task: Task) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(shape_of(task), requires_grad=True)


def shape_of(task: Task, count: int = N) -> tuple[int, ...]:
    return (count, task.outputs(task.labels), *GRID[task.wants])


def test_every_kind_of_labels_has_a_task() -> None:
    assert {part.kind for _, part in TASKS} == set(KINDS)


@pytest.mark.parametrize("of", ["loss", "training_loss"])
def test_loss_is_finite_an_example_and_has_a_gradient(
    task: Task, outputs: torch.Tensor, targets: torch.Tensor, of: str
) -> None:
    loss = getattr(task, of)(outputs, targets)
    assert loss.shape == (N,)
    assert loss.dtype == torch.float32
    assert loss.isfinite().all()
    loss.mean().backward()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()
    assert outputs.grad.flatten(1).any(1).all()


def test_loss_takes_bfloat16_and_keeps_float64(
    task: Task, outputs: torch.Tensor, targets: torch.Tensor
) -> None:
    assert task.loss(outputs.bfloat16(), targets).dtype == torch.float32
    assert task.loss(outputs.double(), targets).dtype == torch.float64


def test_training_on_the_loss_brings_the_error_down(task: Task, targets: torch.Tensor) -> None:
    outputs = torch.zeros(shape_of(task))
    if task.compares:  # where all are alike, nobody is nearer
        outputs = 0.01 * torch.randn(shape_of(task), generator=torch.Generator().manual_seed(0))
    outputs.requires_grad_()
    before = judged(task, outputs, targets).error.mean()
    optimizer = torch.optim.Adam([outputs], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        task.training_loss(outputs, targets).mean().backward()
        optimizer.step()
    assert judged(task, outputs, targets).error.mean() < before / 2


@torch.no_grad()
def judged(task: Task, outputs: torch.Tensor, targets: torch.Tensor) -> Judged:
    """Return what is made of a whole split, after what is chosen on it was chosen."""
    task.calibrate(outputs, targets)
    return task.judge(outputs, targets)


def test_error_is_in_the_unit_interval_and_0_for_the_truth(
    task: Task, outputs: torch.Tensor, targets: torch.Tensor
) -> None:
    predicted, error, columns = judged(task, outputs, targets)
    if task.kind == "boxes":  # as many as are said, each with its score
        assert (len(predicted), predicted.shape[2]) == (N, 6)
        sure = predicted[..., 5][predicted[..., 0] >= 0]
        assert ((sure >= 0) & (sure <= 1)).all()
    else:
        assert predicted.shape == targets.shape
    assert predicted.dtype == targets.dtype
    if not task.compares:
        assert torch.equal(error, task.error(predicted, targets))
        assert columns.keys() == task.columns(predicted, targets).keys()
    assert error.shape == (N,)
    assert error.dtype == torch.float32
    assert ((error >= 0) & (error <= 1)).all()
    assert error.any()
    assert all(values.shape == (N,) for values in columns.values())
    assert not task.error(targets, targets).any()


def test_scores_are_a_row_an_example_or_none(task: Task, outputs: torch.Tensor) -> None:
    scores = task.scores(outputs)
    if task.kind == "number" or task.labels.is_drawn or task.compares:
        assert scores is None
    else:
        assert scores is not None
        assert scores.shape == outputs.shape
        assert ((scores >= 0) & (scores <= 1)).all()


def test_averaged_outputs_give_the_mean_of_the_scores(task: Task) -> None:
    shape = (3, *shape_of(task))
    views = 3 * torch.randn(shape, generator=torch.Generator().manual_seed(1))
    made = task.averaged(views)
    assert made.shape == shape[1:]
    if task.compares:  # of a person the encodings are averaged, each of length 1
        assert torch.allclose(made, F.normalize(views, dim=2).mean(0))
        return
    if task.kind == "boxes":  # of a box its outputs are averaged: there is no mean of two boxes
        assert torch.allclose(made, views.mean(0), atol=1e-6)
        return
    chances = {"number": task.predict, "points": task.predict, "mask": lambda x: x.softmax(1)}
    read = chances.get(task.kind, task.scores)
    mean = torch.stack([read(view) for view in views]).mean(0)
    assert torch.allclose(read(made), mean, atol=1e-6, rtol=1e-5)
    alone = task.averaged(views[:1])
    assert torch.allclose(read(alone), read(views[0]), atol=1e-6, rtol=1e-5)


def test_the_highest_score_is_predicted() -> None:
    task = made("classify")
    outputs = torch.randn(N, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(task.scores(outputs).argmax(1), task.predict(outputs))


@pytest.mark.parametrize("of", ["loss", "training_loss"])
def test_targets_of_another_shape_are_refused_and_both_are_named(
    task: Task, outputs: torch.Tensor, targets: torch.Tensor, of: str
) -> None:
    for wrong in (targets[:, None], targets[:-1], targets[0]):
        with pytest.raises(DataError) as refused:
            getattr(task, of)(outputs, wrong)
        assert str(tuple(outputs.shape)) in str(refused.value)
        assert str(tuple(wrong.shape)) in str(refused.value)


def test_an_error_is_never_broadcast(task: Task, targets: torch.Tensor) -> None:
    """(n,) against (n, 1) would be (n, n): the rank-1 trap."""
    column = targets[:, None]
    for predicted, against in ((targets, column), (column, targets), (targets, targets[:1])):
        with pytest.raises(DataError) as refused:
            task.error(predicted, against)
        assert str(tuple(predicted.shape)) in str(refused.value)
        assert str(tuple(against.shape)) in str(refused.value)


def test_what_is_learned_is_plain_and_makes_an_equal_task(
    task: Task, outputs: torch.Tensor, targets: torch.Tensor
) -> None:
    fitted = type(task)().fit(task.labels, targets.numpy())
    assert all(isinstance(value, float | list) for value in fitted.values())
    other = type(task)()
    other.use(task.labels, fitted)
    assert torch.equal(other.training_loss(outputs, targets), task.training_loss(outputs, targets))
    assert torch.equal(other.predict(outputs), task.predict(outputs))


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_another_kind_are_refused_with_the_tasks_that_would_do(
    task: Task, kind: str
) -> None:
    if kind == task.kind:
        return
    labels, targets = KINDS[kind]
    fitting = next(name for name, part in TASKS if part.kind == kind)
    for call in (lambda: task.fit(labels, targets.numpy()), lambda: task.use(labels, {})):
        with pytest.raises(PipelineError, match=fitting):
            call()


def test_further_columns_have_an_entry_an_example(
    task: Task, outputs: torch.Tensor, targets: torch.Tensor
) -> None:
    columns = task.columns(task.predict(outputs.detach()), targets)
    assert bool(columns) == (task.kind not in ("class", "number"))
    for values in columns.values():
        assert values.shape == (N,)
        assert not values.isinf().any()


def test_no_example_takes_no_part(task: Task, targets: torch.Tensor) -> None:
    empty = torch.empty(shape_of(task, 0))
    assert task.loss(empty, targets[:0]).shape == (0,)
    assert judged(task, empty, targets[:0]).error.shape == (0,)
    assert len(task.predict(empty)) == 0
    if task.kind != "boxes":
        assert np.array_equal(task.predict(empty).shape, targets[:0].shape)
