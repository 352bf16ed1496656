"""The loop: plain, and deaf to who listens."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.data.prepared import Prepared
from gapwise.errors import StoppedError, TrainingError
from gapwise.networks.base import count_parameters
from gapwise.records import Job, JobResult
from gapwise.training.callbacks import Callback, Checkpoint, Epoch, Start
from gapwise.training.checkpoints import CheckpointStore
from gapwise.training.distributed import cut_for_this_process, world
from gapwise.training.draws import key, seed_generators
from gapwise.training.feeds import Batch, open_feed
from gapwise.training.frozen_features import FeatureFeed, open_features
from gapwise.training.learner import Learner, thaw_if_due
from gapwise.training.progress import Progress, best_epoch, is_stopped
from gapwise.training.recipe import Recipe
from gapwise.training.schedules.base import Schedule
from gapwise.training.steps import Steps, Wanted, advance
from gapwise.training.supply import Supply

TELL_SECONDS = 0.25


@dataclass(kw_only=True)
class Loop:
    """One attempt at a job, from where its progress stands to its last epoch.

    It says which steps are to be taken, and keeps what comes of them; ``run`` takes them one by
    one, and trainings of one shape can be taken forward together (``training.together``).

    Attributes:
        facts: plain values that every checkpoint carries.
        should_stop: asked after each step.
        share: of the time that passes, what this training takes; others may train beside it.
        examples, busy: training examples of this attempt, and the seconds that they took.
    """

    job: Job
    recipe: Recipe
    prepared: Prepared
    supply: Supply
    learner: Learner
    schedule: Schedule
    progress: Progress
    store: CheckpointStore
    facts: dict[str, Any]
    callbacks: Sequence[Callback]
    should_stop: Callable[[], bool] = lambda: False
    share: float = 1.0
    examples: int = 0
    busy: float = 0.0

    def __post_init__(self) -> None:
        self._dev = self.prepared.indices("dev")
        self._rates: list[float] = []
        self._batches: list[NDArray[np.int64]] = []
        self._sizes: list[int] = []
        self._saved_at = self._told_at = self._counted_at = time.monotonic()

    def begin(self) -> None:
        """Tell who listens that training starts."""
        start = Start(
            job=self.job,
            epoch=self.progress.epoch,
            step=self.progress.total_steps,
            epochs=self.job.epochs,
            steps_per_epoch=self.progress.steps,
            examples=len(self.prepared.indices("train")),
            parameters=count_parameters(self.learner.model),
        )
        for callback in self.callbacks:
            callback.on_start(start)

    def end(self) -> JobResult:
        """Return what the job gives, and tell it to who listens."""
        progress = self.progress
        history, ends = progress.history[: self.job.epochs], progress.ends[: self.job.epochs]
        best = best_epoch(history)
        result = JobResult(
            best_epoch=best,
            best_dev_error=history[best - 1]["dev_error"],
            epochs=len(history),
            best_checkpoint=str(self.store.path(ends[best - 1])),
            last_checkpoint=str(self.store.path(ends[-1])),
            stopped_early=is_stopped(history, self.recipe.patience),
            seconds=progress.seconds,
            examples_per_second=self.examples / self.busy if self.busy else 0.0,
            curve=tuple(epoch["dev_error"] for epoch in history),
        )
        for callback in self.callbacks:
            callback.on_end(result)
        return result

    def run(self) -> None:
        """Train until the job's epochs are done or dev has stopped improving.

        Raises:
            StoppedError: ``should_stop`` said so; a checkpoint is saved.
            TrainingError: a loss is not finite.
            StorageError: a checkpoint cannot be saved.
        """
        steps = self.steps()
        wanted = advance(steps)
        while wanted is not None:
            taken = self.learner.step(wanted.batch, wanted.factor, wanted.examples)
            wanted = advance(steps, taken)

    def steps(self) -> Steps:
        """Ask for the steps until the job's epochs are done or dev has stopped improving.

        Raises:
            StoppedError, TrainingError, StorageError: as ``run``.
        """
        history = self.progress.history
        while len(history) < self.job.epochs and not is_stopped(history, self.recipe.patience):
            yield from self._epoch()

    def _epoch(self) -> Steps:
        epoch = self.progress.epoch + 1
        self._enter(epoch)
        examples, busy, began = self.examples, self.busy, time.monotonic()
        self._batches = self.supply.order(epoch)
        self._sizes = [len(batch) for batch in self._batches]
        # Closed at once when a step fails, so that no thread goes on gathering.
        to_do, parts = self._batches[self.progress.step :], self.recipe.accumulate
        mine = [cut_for_this_process(batch, parts) for batch in to_do]
        with closing(self.supply.feed.batches(mine)) as batches:
            for batch in batches:
                yield from self._step(epoch, batch)
        self._tell()
        self._check_weights()
        self.busy += (time.monotonic() - began) * self.share
        metrics = self._metrics()
        self.progress.close_epoch(metrics)
        rate = (self.examples - examples) / max(self.busy - busy, 1e-9)
        self._close_epoch(metrics, rate, time.monotonic() - began)

    def _enter(self, epoch: int) -> None:
        """Thaw what trains from ``epoch`` on, and feed the layers that train."""
        transfer = self.recipe.transfer
        if transfer is None:
            return
        thaw_if_due(self.learner, transfer, epoch)
        learner, on_features = self.learner, isinstance(self.supply.feed, FeatureFeed)
        if transfer.precompute and learner.model.frozen and not on_features:
            features = open_features(learner, self.prepared, self.job.plan, self._stop_early)
            self.supply = replace(self.supply, feed=features)
        elif on_features and not learner.model.frozen:
            self.supply = replace(self.supply, feed=open_feed(self.prepared, learner.device))

    def _stop_early(self) -> None:
        if self.should_stop():
            raise StoppedError(
                "training stopped as asked while frozen layers were computed; resume the run"
            )

    def _step(self, epoch: int, batch: Batch) -> Steps:
        factor = self._factor(self.progress.total_steps)
        seed = key("step", self.job.seed, epoch, self.progress.step)
        seed_generators(seed, self.learner.device)
        examples = self._sizes[self.progress.step]
        taken = yield Wanted(self.supply.change(batch, epoch), factor, examples, seed)
        assert taken is not None
        self.examples += examples
        self.progress.record(*taken)
        self._rates.append(self.learner.lr(factor))
        self._between_steps()

    def _factor(self, step: int) -> float:
        an_epoch = self.progress.steps
        return self.schedule.factor(step, self.recipe.epochs * an_epoch, an_epoch)

    def _lr(self, step: int) -> float:
        """Return the learning rate of ``step`` (from 1)."""
        return self.learner.lr(self._factor(step - 1))

    def _between_steps(self) -> None:
        now = time.monotonic()
        if now - self._told_at > TELL_SECONDS:
            self._tell()
            self._told_at = now
        last = self.progress.step == self.progress.steps
        # After the last step of an epoch comes the epoch's own checkpoint.
        if not last and now - self._saved_at > self.recipe.checkpoint_seconds:
            self._save_in_epoch()
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self.should_stop():
            path = self._save_in_epoch()
            raise StoppedError(f"training stopped as asked, at {path}; resume the run")

    def _save_in_epoch(self) -> Path:
        self._tell()
        self._check_weights()
        return self._save()

    def _tell(self) -> None:
        """Fetch the losses since the last time, look at them, and pass them on."""
        steps = self.progress.untold(self._sizes, self._rates)
        self._rates = []
        for step in steps:
            if not np.isfinite(step.loss):
                self._refuse(step.step, step.lr, f"the loss is {step.loss}")
        if steps:
            for callback in self.callbacks:
                callback.on_steps(steps)

    def _check_weights(self) -> None:
        if not self.learner.is_finite():
            step = self.progress.total_steps
            self._refuse(step, self._lr(step), "a weight is NaN or infinite")

    def _refuse(self, step: int, lr: float, what: str) -> None:
        batch = self._batches[step - 1 - (self.progress.total_steps - self.progress.step)]
        ids = [str(name) for name in self.prepared.ids[batch]]
        saved = any(self.store.newest_first())
        kept = f"the last good checkpoint in {self.store.folder} is kept"
        raise TrainingError(
            f"{what} at step {step} (lr {lr:g}; batch of {len(ids)} examples: "
            f"{', '.join(ids[:5])}{', …' if len(ids) > 5 else ''}); lower "
            f"training.optimizer.lr, set training.clip_norm or look at these examples; "
            f"{kept if saved else 'there is no checkpoint yet, so train anew'}",
            step=step,
            lr=lr,
            example_ids=ids,
        )

    def _metrics(self) -> dict[str, float]:
        train_loss, train_error = self.progress.means(self._sizes)
        dev = self.learner.evaluate(self.supply.feed, self._dev, self._stop_if_asked)
        if not np.isfinite(dev.loss):
            step = self.progress.total_steps
            self._refuse(step, self._lr(step), f"the dev loss is {dev.loss} after the epoch")
        return {
            "train_loss": train_loss,
            "train_error": train_error,
            "dev_loss": dev.loss,
            "dev_error": dev.error,
        }

    def _close_epoch(self, metrics: dict[str, float], rate: float, seconds: float) -> None:
        epoch = Epoch(
            epoch=self.progress.epoch,
            step=self.progress.total_steps,
            metrics=metrics,
            examples_per_second=rate,
            seconds=seconds,
            best=best_epoch(self.progress.history) == self.progress.epoch,
        )
        for callback in self.callbacks:
            callback.on_epoch(epoch)
        self._save()

    def _save(self) -> Path:
        self._count_seconds()
        for callback in self.callbacks:
            callback.before_checkpoint()
        step = self.progress.total_steps
        values = self.facts | self.progress.values()
        path = self.store.path(step)
        if world().rank == 0:
            path = self.store.save(step, values, self.learner.tensors() | self.progress.tensors())
        saved = Checkpoint(
            path=path, epoch=self.progress.epoch, step=step, best=step == self.progress.best_step
        )
        for callback in self.callbacks:
            callback.on_checkpoint(saved)
        self._saved_at = time.monotonic()
        return path

    def _count_seconds(self) -> None:
        now = time.monotonic()
        self.progress.seconds += (now - self._counted_at) * self.share
        self._counted_at = now
