"""Regression: one number an example (notes 1.1, 2.1: home features → price)."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gapwise.errors import PipelineError
from gapwise.labels import Labels
from gapwise.tasks.base import Task, check_shape, widened

__all__ = ["Regress"]

CENTRAL = (2.5, 97.5)
"""Percentiles of the training targets whose distance is their range: outliers do not stretch it."""

LARGEST_LOG = 80.0
"""Above this, exp leaves single precision."""


class Regress(Task):
    """A linear output unit; targets are learned in deviations from the training mean.

    Targets are (n,) float32 in their own unit, and so are predictions. Mean and deviation come
    from the train split alone. The three errors, and what each is good for, stand in
    docs/tasks.md.

    Args:
        loss: ``squared``, ``absolute``, or ``huber`` (squared near 0, absolute beyond), of the
            difference in deviations.
        huber_delta: where ``huber`` turns from squared to absolute, in deviations.
        log: learn the logarithm of the target, which must be positive: differences then count by
            ratio.
        error: an example's error in [0, 1]: ``relative``, the distance as a share of the true
            value, at most 1; ``range``, as a share of the central 95 % of the training targets, at
            most 1; ``beyond``, 1 where the distance exceeds the tolerance, else 0.
        tolerance: of ``beyond``, in the target's unit.
        relative_tolerance: of ``beyond``, a share of the true value that is added to ``tolerance``.
    """

    kind = "number"

    def __init__(
        self,
        *,
        loss: Literal["squared", "absolute", "huber"] = "squared",
        huber_delta: float = 1.0,
        log: bool = False,
        error: Literal["relative", "range", "beyond"] = "relative",
        tolerance: float = 0.0,
        relative_tolerance: float = 0.1,
    ) -> None:
        if not huber_delta > 0:
            raise ValueError(f"huber_delta is {huber_delta:g}, not above 0")
        for name, value in (("tolerance", tolerance), ("relative_tolerance", relative_tolerance)):
            if not value >= 0:
                raise ValueError(f"{name} is {value:g}, not a number from 0")
        self._loss, self._huber_delta, self._log = loss, huber_delta, log
        self._error, self._within = error, (tolerance, relative_tolerance)
        self._mean, self._deviation, self._range = 0.0, 1.0, 1.0

    def fit(self, labels: Labels, targets: NDArray[Any]) -> dict[str, Any]:
        """Return ``mean`` and ``deviation`` of what is learned, and ``range`` of the targets."""
        super().fit(labels, targets)
        values = targets.astype(np.float64)
        self._check_positive(labels, values)
        low, high = np.percentile(values, CENTRAL)
        learned = np.log(values) if self._log else values
        return {
            "mean": float(learned.mean()),
            "deviation": float(learned.std()) or 1.0,
            "range": float(high - low) or 1.0,
        }

    def use(self, labels: Labels, fitted: Mapping[str, Any]) -> None:
        """Take mean, deviation and range."""
        super().use(labels, fitted)
        self._mean, self._deviation = fitted["mean"], fitted["deviation"]
        self._range = fitted["range"]

    def outputs(self, labels: Labels) -> int:
        """Return one unit."""
        return 1

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of the difference in training deviations, (n,).

        Of ``squared``, the mean is the share of the targets' variance that is not explained.
        """
        made = self._learned(outputs, targets)
        wanted = (self._scaled(targets.to(made.dtype)) - self._mean) / self._deviation
        if self._loss == "squared":
            return (made - wanted) ** 2
        if self._loss == "absolute":
            return (made - wanted).abs()
        return F.huber_loss(made, wanted, reduction="none", delta=self._huber_delta)

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the predicted number in the target's unit, (n,) float32."""
        made = outputs.float()[:, 0] * self._deviation + self._mean
        return made.clamp(max=LARGEST_LOG).exp() if self._log else made

    def scores(self, outputs: Tensor) -> None:
        """Return None: a number has no scores."""
        return

    def averaged(self, views: Tensor) -> Tensor:
        """Return the output for the mean of the predicted numbers, (n, 1)."""
        if not self._log:
            return views.mean(0)
        logs = torch.logsumexp(views * self._deviation + self._mean, 0) - float(np.log(len(views)))
        return (logs - self._mean) / self._deviation

    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return the error that the option ``error`` names, (n,) in [0, 1]."""
        check_shape(predicted, targets, predicted.shape, "predictions")
        distance, size = (predicted - targets).abs().float(), targets.abs().float()
        if self._error == "beyond":
            tolerance, share = self._within
            return (distance > tolerance + share * size).float()
        if self._error == "range":
            return (distance / self._range).clamp(max=1)
        # A true 0 is met or missed: nothing is a share of it.
        share_of = torch.where(size > 0, distance / size, (distance > 0).float())
        return share_of.clamp(max=1)

    def _learned(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the outputs as (n,), once the targets are known to be of that shape."""
        check_shape(outputs, targets, outputs.shape[:1], "outputs")
        return widened(outputs)[:, 0]

    def _scaled(self, targets: Tensor) -> Tensor:
        # Dev may hold what train did not: a 0 has no logarithm, but must not end the training.
        return targets.clamp(min=torch.finfo(torch.float32).tiny).log() if self._log else targets

    def _check_positive(self, labels: Labels, values: NDArray[np.float64]) -> None:
        needs = "task.log" if self._log else "task.error: relative"
        if (self._log or self._error == "relative") and values.min() <= 0:
            raise PipelineError(
                f"{needs} needs targets above 0, but {labels.names[0]} is {values.min():g} in "
                "train; set task.log: false and task.error: range, or beyond"
            )
