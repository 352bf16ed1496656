"""Classification, against numbers worked by hand."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gapwise.errors import PipelineError
from gapwise.labels import one_class
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


def weighted(classes: tuple[str, ...], targets: list[int], **options) -> Classify:
    labels, task = one_class(classes), Classify(**options)
    task.use(labels, Classify(**options).fit(labels, np.array(targets)))
    return task


def test_smoothing_spreads_a_share_over_all_classes_in_training_alone() -> None:
    task = weighted(("a", "b"), [0, 1], label_smoothing=0.2)
    plain = F.cross_entropy(OUTPUTS, TARGETS, reduction="none")
    other = F.cross_entropy(OUTPUTS, 1 - TARGETS, reduction="none")
    assert task.training_loss(OUTPUTS, TARGETS).tolist() == pytest.approx(
        (0.9 * plain + 0.1 * other).tolist()
    )
    assert task.loss(OUTPUTS, TARGETS).tolist() == plain.tolist()


def test_balanced_weights_make_every_class_count_alike() -> None:
    targets = [0] * 6 + [1] * 2
    task = weighted(("a", "b", "never"), targets, class_weights="balanced")
    outputs = torch.zeros(8, 3)
    ratio = task.training_loss(outputs, torch.tensor(targets)) / math.log(3)
    assert ratio[:6].sum() == pytest.approx(4)
    assert ratio[6:].sum() == pytest.approx(4)
    assert task.loss(outputs, torch.tensor(targets)).tolist() == pytest.approx([math.log(3)] * 8)


def test_named_weights_keep_their_ratio_and_a_mean_of_1() -> None:
    targets = [0, 0, 0, 1]
    task = weighted(("a", "b"), targets, class_weights={"b": 5})
    ratio = task.training_loss(torch.zeros(4, 2), torch.tensor(targets)) / math.log(2)
    assert float(ratio[3] / ratio[0]) == pytest.approx(5)
    assert float(ratio.mean()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({"owk": 1.0}, r"names owk, which is no class; did you mean owl"),
        ({"cat": -1.0}, r"class_weights.cat is -1; give a number from 0"),
        ({"cat": 0, "owl": 0}, r"are 0 for every class that train holds"),
    ],
)
def test_weights_that_cannot_be_are_refused(weights, says) -> None:
    with pytest.raises(PipelineError, match=says):
        weighted(("cat", "owl"), [0, 1], class_weights=weights)


def test_smoothing_of_all_is_refused() -> None:
    with pytest.raises(ValueError, match="label_smoothing is 1"):
        Classify(label_smoothing=1.0)
