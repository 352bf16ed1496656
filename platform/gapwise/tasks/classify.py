"""Classification into one of k classes (notes 3.17)."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gapwise.errors import PipelineError, did_you_mean, shown
from gapwise.labels import Labels
from gapwise.tasks._averages import averaged_softmax
from gapwise.tasks.base import Task, check_shape, class_counts, widened

__all__ = ["Classify"]

Weights = Mapping[str, float]


class Classify(Task):
    """Softmax with cross-entropy; an example's error is 1 where the likeliest class is not its own.

    Targets are (n,) int64 positions in the classes. Both options act on what training minimises
    alone: the stored loss stays −log of the true class's softmax, so that runs compare.

    Args:
        label_smoothing: share of the target that is spread evenly over all classes (Szegedy et
            al., 2016, Rethinking the Inception Architecture).
        class_weights: what an example of each class counts in training: ``balanced`` makes every
            class count alike, whatever its number of examples; a mapping names some classes, the
            others count 1. Weights are scaled to a mean of 1 over the training examples, so that
            the learning rate keeps its meaning.
    """

    def __init__(
        self,
        *,
        label_smoothing: float = 0.0,
        class_weights: Literal["balanced"] | dict[str, float] | None = None,
    ) -> None:
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing is {label_smoothing:g}, not from 0 to below 1")
        self._smoothing = label_smoothing
        self._asked = class_weights
        self._weights: Tensor | None = None

    def fit(self, labels: Labels, targets: NDArray[Any]) -> dict[str, Any]:
        """Return the weight of every class as ``class_weights``, where they were asked for."""
        super().fit(labels, targets)
        if self._asked is None:
            return {}
        counts = class_counts(targets, len(labels.only))
        if isinstance(self._asked, str):
            weights = 1.0 / counts.clip(1)
        else:
            given = _named(self._asked, labels.only)
            weights = counts * 0.0 + [given.get(name, 1.0) for name in labels.only]
        total = float((counts * weights).sum())
        if not total > 0:
            raise PipelineError(
                "task.class_weights are 0 for every class that train holds; give one more than 0"
            )
        return {"class_weights": (weights * counts.sum() / total).tolist()}

    def use(self, labels: Labels, fitted: Mapping[str, Any]) -> None:
        """Take the classes and their weights."""
        super().use(labels, fitted)
        weights = fitted.get("class_weights")
        self._weights = None if weights is None else torch.tensor(weights)

    def outputs(self, labels: Labels) -> int:
        """Return one unit a class."""
        return len(labels.only)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return −log of the softmax at the target, (n,) in nats."""
        return self._cross_entropy(outputs, targets, smoothing=0.0)

    def training_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return cross-entropy against smoothed labels, times the weight of the true class."""
        loss = self._cross_entropy(outputs, targets, self._smoothing)
        if self._weights is None:
            return loss
        if self._weights.device != loss.device:
            self._weights = self._weights.to(loss.device)
        return loss * self._weights[targets]

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the position of the highest output, (n,) int64; the first among equals."""
        return outputs.argmax(1)

    def scores(self, outputs: Tensor) -> Tensor:
        """Return the softmax, (n, classes)."""
        return torch.softmax(outputs.float(), 1)

    def averaged(self, views: Tensor) -> Tensor:
        """Return the logarithm of the mean softmax, (n, classes)."""
        return averaged_softmax(views)

    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return 1 where the prediction is wrong, else 0."""
        check_shape(predicted, targets, predicted.shape, "predictions")
        return (predicted != targets).float()

    def _cross_entropy(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        check_shape(outputs, targets, outputs.shape[:1], "outputs")
        return F.cross_entropy(
            widened(outputs), targets, reduction="none", label_smoothing=smoothing
        )


def _named(weights: Mapping[Any, float], classes: tuple[str, ...]) -> dict[str, float]:
    found = {str(name): float(weight) for name, weight in weights.items()}
    for name, weight in found.items():
        if name not in classes:
            raise PipelineError(
                f"task.class_weights names {shown(name)}, which is no class; "
                f"{did_you_mean(name, classes)}"
            )
        if not 0 <= weight < float("inf"):
            raise PipelineError(
                f"task.class_weights.{shown(name)} is {weight:g}; give a number from 0"
            )
    return found
