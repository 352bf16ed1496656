"""Classification, against numbers worked by hand."""

import math

import pytest
import torch

from gapwise.metrics.classification import zero_one_errors
from gapwise.tasks.classify import Classify

OUTPUTS = torch.tensor([[2.0, 0.0], [0.0, 0.0], [-1.0, 3.0]])
TARGETS = torch.tensor([0, 1, 0])


def test_loss_is_cross_entropy_in_nats() -> None:
    loss = Classify().loss(OUTPUTS, TARGETS)
    expected = [math.log1p(math.exp(-2)), math.log(2), 4 + math.log1p(math.exp(-4))]
    assert loss.tolist() == pytest.approx(expected, rel=1e-6)


def test_the_first_among_equals_is_predicted() -> None:
    assert Classify().predict(OUTPUTS).tolist() == [0, 0, 1]


def test_error_is_that_of_the_metrics() -> None:
    predicted = Classify().predict(OUTPUTS)
    error = Classify().error(predicted, TARGETS)
    assert error.tolist() == zero_one_errors(predicted.numpy(), TARGETS.numpy()).tolist()
    assert error.tolist() == [0, 1, 1]


def test_scores_sum_to_one() -> None:
    assert Classify().scores(OUTPUTS).sum(1).tolist() == pytest.approx([1, 1, 1])
