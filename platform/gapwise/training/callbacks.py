"""What the loop tells: it knows no loggers, no progress bars, no MLflow; callbacks do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gapwise.records import Job, JobResult


@dataclass(frozen=True, kw_only=True)
class Start:
    """A job begins or goes on.

    Attributes:
        job: the job.
        epoch, step: epochs and steps that are done; 0 for a new training.
        epochs: epochs to reach.
        steps_per_epoch: batches of an epoch.
        examples: training examples of an epoch.
        parameters: trainable parameters of the network.
    """

    job: Job
    epoch: int
    step: int
    epochs: int
    steps_per_epoch: int
    examples: int
    parameters: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """One batch trained.

    Attributes:
        epoch: the epoch, from 1.
        step: the step over all epochs, from 1.
        loss: mean loss of the batch, in training mode.
        lr: the learning rate.
        examples: examples of the batch.
    """

    epoch: int
    step: int
    loss: float
    lr: float
    examples: int


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass over the training set.

    Attributes:
        epoch: the epoch, from 1.
        step: steps done over all epochs.
        metrics: ``train_loss`` and ``train_error`` (running, in training mode), ``dev_loss`` and
            ``dev_error`` (in evaluation mode, after the epoch).
        examples_per_second: training examples, without evaluation; a resumed epoch counts only
            what was trained since.
        seconds: of training and evaluation; a resumed epoch counts only those since.
        best: whether no epoch before had a dev error as low.
    """

    epoch: int
    step: int
    metrics: Mapping[str, float]
    examples_per_second: float
    seconds: float
    best: bool


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A checkpoint that is safe on disk: where, and after how many epochs and steps in all."""

    path: Path
    epoch: int
    step: int
    best: bool


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A damaged checkpoint that was passed over, and why."""

    path: Path
    reason: str


class Callback:
    """Hears what happens in training; every method may be left empty.

    After a kill, steps and epochs since the last checkpoint are told again, with equal values.
    """

    def on_start(self, start: Start) -> None:
        """Training begins or goes on."""

    def on_refused(self, refused: Refused) -> None:
        """A damaged checkpoint was passed over, before ``on_start``."""

    def on_steps(self, steps: Sequence[Step]) -> None:
        """Some steps are done: they come a few times a second, so as not to wait for the device."""
        for step in steps:
            self.on_step(step)

    def on_step(self, step: Step) -> None:
        """One step is done (some time ago: see ``on_steps``)."""

    def on_epoch(self, epoch: Epoch) -> None:
        """An epoch is done and evaluated."""

    def before_checkpoint(self) -> None:
        """A checkpoint follows: make durable what was told so far, for it is not told again."""

    def on_checkpoint(self, checkpoint: Checkpoint) -> None:
        """A checkpoint is safe on disk."""

    def on_end(self, result: JobResult) -> None:
        """The job is done."""
