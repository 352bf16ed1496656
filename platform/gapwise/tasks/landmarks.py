"""Landmarks: points that mean the same on every picture (notes 6.2)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapwise.errors import PipelineError, did_you_mean, shown
from gapwise.labels import Labels
from gapwise.tasks.base import Task, check_shape, widened

__all__ = ["Landmarks"]


class Landmarks(Task):
    """Two units a point; points that are unknown take no part in loss and error.

    Targets are (n, k, 2), see ``gapwise.forms.points``. Each coordinate is learned in deviations
    from its mean over the train split.

    Args:
        loss: ``squared`` or ``absolute`` difference, the mean over the known coordinates.
        reference: two points, by name, whose true distance is the unit of the error: the outer
            corners of the eyes, say (the inter-ocular distance). Where one of them is unknown, the
            training median stands for it. By default the picture's diagonal.
        error: an example's error: ``distance``, the mean distance of the known points as a share of
            the reference, at most 1; ``beyond``, the share of the known points that are farther
            off than ``tolerance``.
        tolerance: of ``beyond``, as a share of the reference.
    """

    kind = "points"

    def __init__(
        self,
        *,
        loss: Literal["squared", "absolute"] = "squared",
        reference: tuple[str, str] | None = None,
        error: Literal["distance", "beyond"] = "distance",
        tolerance: float = 0.1,
    ) -> None:
        if not tolerance > 0:
            raise ValueError(f"tolerance is {tolerance:g}, not above 0")
        self._loss, self._reference, self._error = loss, reference, error
        self._tolerance = tolerance

    def fit(self, labels: Labels, targets: NDArray[Any]) -> dict[str, Any]:
        """Return ``mean`` and ``deviation`` of each coordinate and the ``unit`` of the error.

        Raises:
            PipelineError: a point of ``reference`` is none of the data, or never known with the
                other.
        """
        super().fit(labels, targets)
        known = ~np.isnan(targets)
        count = known.sum(0).clip(min=1)
        mean = np.where(known, targets, 0).sum(0, dtype=np.float64) / count
        spread = np.where(known, targets - mean, 0).astype(np.float64)
        deviation = np.sqrt((spread**2).sum(0) / count)
        return {
            "mean": mean.ravel().tolist(),
            "deviation": np.where(deviation > 0, deviation, 1.0).ravel().tolist(),
            "unit": self._unit(labels, targets),
        }

    def use(self, labels: Labels, fitted: Mapping[str, Any]) -> None:
        """Take means, deviations and the unit of the error."""
        super().use(labels, fitted)
        self._mean, self._deviation = (
            torch.tensor(fitted["mean"]),
            torch.tensor(fitted["deviation"]),
        )
        self._length = float(fitted["unit"])
        self._ends = None if self._reference is None else _places(labels, self._reference)

    def outputs(self, labels: Labels) -> int:
        """Return two units a point."""
        return 2 * len(labels.names)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean difference of the known coordinates, in training deviations, (n,)."""
        check_shape(outputs, targets, (len(outputs), len(self.labels.names), 2), "outputs")
        made = widened(outputs)
        true = targets.flatten(1).to(made.dtype)
        known = ~true.isnan()
        wanted = (torch.where(known, true, 0) - self._mean.to(made)) / self._deviation.to(made)
        gap = made - wanted
        size = gap.square() if self._loss == "squared" else gap.abs()
        return (size * known).sum(1) / known.sum(1).clamp(min=1)

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the points in pixels, (n, k, 2) float32."""
        made = outputs.float()
        places = made * self._deviation.to(made) + self._mean.to(made)
        return places.view(len(places), len(self.labels.names), 2)

    def scores(self, outputs: Tensor) -> None:
        """Return None: a point has no score."""
        return

    def averaged(self, views: Tensor) -> Tensor:
        """Return the mean output, which predicts the mean of the points."""
        return views.mean(0)

    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return the error that the option ``error`` names, (n,) in [0, 1]."""
        distances, known = _distances(predicted, targets)
        shares = distances / self._units(targets)[:, None]
        if self._error == "beyond":
            shares = (shares > self._tolerance).float()
        return ((shares * known).sum(1) / known.sum(1).clamp(min=1)).clamp(max=1)

    def columns(self, predicted: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return ``mean_distance`` and ``largest_distance`` of the known points, in pixels."""
        distances, known = _distances(predicted, targets)
        mean = (distances * known).sum(1) / known.sum(1).clamp(min=1)
        return {"mean_distance": mean.double(), "largest_distance": distances.amax(1).double()}

    def _units(self, targets: Tensor) -> Tensor:
        """Return the length that each example's distances are shares of, (n,)."""
        if self._ends is None:
            return torch.full((len(targets),), self._length, device=targets.device)
        first, second = self._ends
        length = (targets[:, first] - targets[:, second]).float().norm(dim=1)
        return torch.where(length > 0, length, self._length)  # NaN is not above 0

    def _unit(self, labels: Labels, targets: NDArray[Any]) -> float:
        if self._reference is None:
            return float(np.hypot(labels.extent[0], labels.extent[1]))
        first, second = _places(labels, self._reference)
        lengths = np.hypot(*(targets[:, first] - targets[:, second]).astype(np.float64).T)
        known = lengths[lengths > 0]
        if not len(known):
            raise PipelineError(
                f"task.reference: the points {' and '.join(map(shown, self._reference))} are known "
                "together on no picture of train; name two others"
            )
        return float(np.median(known))


def _places(labels: Labels, names: Sequence[str]) -> tuple[int, int]:
    unknown = [name for name in names if str(name) not in labels.names]
    if unknown:
        raise PipelineError(
            f"task.reference names {shown(unknown[0])}, which is no point of the data; "
            f"{did_you_mean(str(unknown[0]), labels.names)}"
        )
    first, second = (labels.names.index(str(name)) for name in names)
    return first, second


def _distances(predicted: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far each point is off, 0 where it is unknown, and which are known: (n, k)."""
    check_shape(predicted, targets, predicted.shape, "predictions")
    gap = (predicted - targets).float().norm(dim=2)
    known = ~targets.isnan().any(2)
    return torch.where(known, gap, 0), known
