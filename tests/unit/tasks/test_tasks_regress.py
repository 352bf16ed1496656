"""Regression, against numbers worked by hand."""

import math

import numpy as np
import pytest
import torch

from gapwise.errors import PipelineError
from gapwise.labels import Labels
from gapwise.tasks.regress import Regress

PRICE = Labels(kind="number", names=("price",), unit="dollars")
TRAIN = np.array([100.0, 200.0, 300.0, 400.0], dtype=np.float32)  # mean 250, deviation √12500


def made(targets: np.ndarray = TRAIN, **options) -> Regress:
    task = Regress(**options)
    task.use(PRICE, Regress(**options).fit(PRICE, targets))
    return task


def error(task: Regress, predicted: list[float], targets: list[float]) -> list[float]:
    return task.error(torch.tensor(predicted), torch.tensor(targets)).tolist()


def test_targets_are_learned_in_deviations_from_the_training_mean() -> None:
    fitted = Regress().fit(PRICE, TRAIN)
    assert fitted["mean"] == pytest.approx(250)
    assert fitted["deviation"] == pytest.approx(math.sqrt(12500))
    assert fitted["range"] == pytest.approx(0.95 * 300)
    outputs = torch.tensor([[0.0], [1.0], [-2.0]])
    predicted = made().predict(outputs).tolist()
    assert predicted == pytest.approx([250, 250 + math.sqrt(12500), 250 - 2 * math.sqrt(12500)])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"loss": "squared"}, [0.0, 9.0]),
        ({"loss": "absolute"}, [0.0, 3.0]),
        ({"loss": "huber", "huber_delta": 0.5}, [0.0, 0.5 * (3 - 0.25)]),
    ],
)
def test_losses_are_of_the_difference_in_deviations(options, expected) -> None:
    deviation = math.sqrt(12500)
    targets = torch.tensor([250.0 + deviation, 250.0 - 2 * deviation])
    loss = made(**options).loss(torch.tensor([[1.0], [1.0]]), targets)
    assert loss.tolist() == pytest.approx(expected, abs=1e-5)


def test_the_mean_squared_loss_of_the_mean_is_1() -> None:
    loss = made().loss(torch.zeros(4, 1), torch.tensor(TRAIN))
    assert float(loss.mean()) == pytest.approx(1)


def test_logarithms_are_learned_and_taken_back() -> None:
    task = made(log=True)
    logs = np.log(TRAIN.astype(float))
    outputs = torch.tensor((logs - logs.mean()) / logs.std(), dtype=torch.float32)[:, None]
    assert task.predict(outputs).tolist() == pytest.approx(TRAIN.tolist(), rel=1e-5)
    assert task.loss(outputs, torch.tensor(TRAIN)).tolist() == pytest.approx([0] * 4, abs=1e-9)
    assert task.predict(torch.tensor([[1e9]])).isfinite().all()
    assert task.loss(outputs[:1], torch.tensor([0.0])).isfinite().all()


def test_relative_error_is_the_share_of_the_truth_and_1_at_most() -> None:
    task = made(error="relative")
    assert error(task, [110, 90, 250, -50, 0], [100, 100, 100, 100, 100]) == pytest.approx(
        [0.1, 0.1, 1, 1, 1]
    )
    assert error(task, [0, 0.001, -90], [0, 0, -100]) == pytest.approx([0, 1, 0.1])


def test_error_of_the_range_is_a_share_of_the_central_95_percent() -> None:
    task = made(error="range")
    assert error(task, [100, 128.5, 1000], [100, 100, 100]) == pytest.approx([0, 0.1, 1])
    assert error(task, [-5, 23.5], [0, -5]) == pytest.approx([5 / 285, 28.5 / 285])


def test_beyond_the_tolerance_is_an_error() -> None:
    task = made(error="beyond", tolerance=5, relative_tolerance=0.1)
    assert error(task, [115, 115.1, 84.9, 5, 5.1], [100, 100, 100, 0, 0]) == [0, 1, 1, 0, 1]


def test_targets_that_never_vary_do_not_divide_by_0() -> None:
    task = made(np.full(5, 7, np.float32), error="range")
    assert task.predict(torch.tensor([[0.0]])).tolist() == [7]
    assert error(task, [7, 7.5, 9], [7, 7, 7]) == [0, 0.5, 1]


@pytest.mark.parametrize("options", [{}, {"log": True, "error": "range"}])
def test_what_needs_targets_above_0_is_refused_without_them(options) -> None:
    with pytest.raises(PipelineError, match=r"needs targets above 0, but price is -1 in train"):
        Regress(**options).fit(PRICE, np.array([-1, 5], np.float32))
    Regress(error="range").fit(PRICE, np.array([-1, 5], np.float32))


@pytest.mark.parametrize(
    "options", [{"huber_delta": 0}, {"tolerance": -1}, {"relative_tolerance": float("nan")}]
)
def test_options_out_of_range_are_refused(options) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Regress(**options)
