"""The family of tasks: what a network is trained for, and what counts as an error."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gapwise.errors import DataError, PipelineError
from gapwise.forms.base import FORMS
from gapwise.labels import Labels
from gapwise.registry import Family


class Judged(NamedTuple):
    """What is made of the outputs for some examples.

    Attributes:
        predicted: of the form of ``targets``.
        error: (n,) float32 in [0, 1].
        columns: further columns of the predictions table, each (n,).
    """

    predicted: Tensor
    error: Tensor
    columns: Mapping[str, Tensor]


class Task(ABC):
    """Loss, prediction and per-example error; n stands for the examples of a batch.

    Outputs are (n, units), or (n, units, height, width) where the task ``wants`` a grid or pixels.

    A task is made with its options as keyword-only parameters. What it must know of the training
    set is learned from it once (``fit``), kept with the model as plain values, and given back
    (``use``) to every later task of that model, whether it trains on or predicts.

    Targets have the form that ``gapwise.labels.Labels`` tells; those of another shape than the
    predictions are refused, never broadcast: (n,) against (n, 1) would silently make (n, n).
    """

    kind: ClassVar[str] = "class"
    """The kind of labels (``Labels.kind``) that the task is for."""

    wants: ClassVar[str] = "row"
    """What a network must give (``networks.base.gives``): units in a row, at each cell of a grid,
    or at each pixel."""

    compares: ClassVar[bool] = False
    """Whether examples are judged by comparing them with one another: then a split is judged as a
    whole, and its batches train in one process."""

    labels: Labels = Labels()

    learned: nn.Module | None = None
    """What the task learns itself: it trains, moves and is saved with the model."""

    def fit(self, labels: Labels, targets: NDArray[Any]) -> dict[str, Any]:
        """Return what the task learns from the targets of the train split, as plain values.

        Raises:
            PipelineError: the task or an option of it is not for such labels.
        """
        self.check(labels)
        return {}

    def use(self, labels: Labels, fitted: Mapping[str, Any]) -> None:
        """Take the labels and what ``fit`` learned, before anything else is asked.

        Raises:
            PipelineError: the task is not for such labels.
        """
        self.check(labels)
        self.labels = labels

    def check(self, labels: Labels) -> None:
        """Refuse labels that the task is not for.

        Raises:
            PipelineError: they are of another kind; names the tasks that would do.
        """
        if labels.kind != self.kind:
            name = next(name for name, part in TASKS if part is type(self))
            fitting = " or ".join(name for name, part in TASKS if part.kind == labels.kind)
            raise PipelineError(
                f"task {name} is for {_told(self.kind)}, but the data has {_told(labels.kind)}; "
                f"set task: {fitting}"
            )

    @abstractmethod
    def outputs(self, labels: Labels) -> int:
        """Return how many output units a network needs."""

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each example, (n,) as ``widened(outputs)``.

        Raises:
            DataError: outputs and targets do not fit in shape; names both.
        """

    def training_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return what training minimises, (n,): the loss, where no option says otherwise."""
        return self.loss(outputs, targets)

    @abstractmethod
    def predict(self, outputs: Tensor) -> Tensor:
        """Return what is predicted, of the form of ``targets``; boxes have a score beside them."""

    @abstractmethod
    def scores(self, outputs: Tensor) -> Tensor | None:
        """Return (n, k) float32 scores, in the order of the classes; None where there are none."""

    @abstractmethod
    def averaged(self, views: Tensor) -> Tensor:
        """Return outputs (n, units) whose scores are the mean of those of ``views``.

        Where there are no scores, what they predict is the mean of what the views predict.

        Args:
            views: (views, n, units), outputs for several crops of each picture, say.
        """

    @abstractmethod
    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return the error of each example, (n,) float32 in [0, 1].

        Raises:
            DataError: predictions and targets do not fit in shape; names both.
        """

    def judge(self, outputs: Tensor, targets: Tensor) -> Judged:
        """Return what is predicted, each example's error, and further columns.

        Where the task ``compares``, outputs and targets must be those of a whole split.
        """
        predicted = self.predict(outputs)
        error = self.error(predicted, targets)
        return Judged(predicted, error, self.columns(predicted, targets))

    def calibrate(self, outputs: Tensor, targets: Tensor) -> None:
        """Choose on dev what no gradient finds, and keep it in ``learned``; nothing by default."""
        return

    def columns(self, predicted: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return further columns of the predictions table, each (n,), NaN where there is no value.

        None by default.
        """
        return {}


TASKS: Family[type[Task]] = Family("gapwise.tasks", "task")

KINDS: Mapping[str, str] = {
    "class": "one class an example",
    "number": "one number an example",
    "several": "several labels an example",
}


def _told(kind: str) -> str:
    return KINDS[kind] if kind in KINDS else FORMS.get(kind).told


def widened(outputs: Tensor) -> Tensor:
    """Return ``outputs`` in float32 at least: bf16 is too coarse for a loss; float64 stays so."""
    return outputs if outputs.dtype == torch.float64 else outputs.float()


def check_shape(made: Tensor, targets: Tensor, wanted: Sequence[int], what: str) -> None:
    """Refuse targets that would be broadcast against what a network made (the rank-1 trap).

    Args:
        made: outputs or predictions, for the message.
        targets: the targets.
        wanted: the shape that they must have.
        what: what ``made`` is, in the plural.

    Raises:
        DataError: they have another shape; names both.
    """
    if tuple(targets.shape) != tuple(wanted):
        raise DataError(
            f"targets have the shape {tuple(targets.shape)} and {what} {tuple(made.shape)}; give "
            f"targets of the shape {tuple(int(size) for size in wanted)}"
        )


def class_counts(targets: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Return how many of ``targets`` are of each class, the unknown left out: (classes,)."""
    return np.bincount(targets[targets >= 0], minlength=classes).astype(np.int64)
