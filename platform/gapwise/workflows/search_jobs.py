"""The jobs of a search's trials: values that any worker can run, and what they gave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gapwise.records import Job, JobResult
from gapwise.search.events import Trial
from gapwise.search.plan import Shown
from gapwise.settings import Settings
from gapwise.training.together import shape
from gapwise.workers.base import Failure
from gapwise.workflows.far_jobs import bring, call_of, call_of_several


@dataclass(frozen=True, kw_only=True)
class TrialJobs:
    """Makes each trial's job from the one that they share.

    Attributes:
        base: the pipeline as it is; each trial changes its parameters.
        folder: where the trials' checkpoints are, one folder a trial.
        settings: where state lives, and how it reaches workers that are far away.
    """

    base: Job
    folder: Path
    settings: Settings

    @property
    def sharing(self) -> "SharedJobs | None":
        """What makes one job of several trials, where that is faster.

        Far workers, which share no folder with the driver, get one trial a job.
        """
        if self.base.plan.together == 1 or self.settings.shared:
            return None
        return SharedJobs(jobs=self)

    def job(self, trial: Trial, epochs: int) -> Job:
        """Return the job that brings a trial to ``epochs``."""
        return replace(
            self.base,
            folder=str(trial_folder(self.folder, trial.number)),
            epochs=epochs,
            parameters=dict(trial.parameters),
        )

    def call(self, trial: Trial, epochs: int) -> tuple[Callable[..., Any], Any]:
        """Return the function and the argument that bring a trial to so many epochs."""
        return call_of(self.job(trial, epochs), self.settings)

    def read(self, value: JobResult) -> Shown:
        """Read what such a call returned, once its checkpoints are here."""
        bring(Path(value.last_checkpoint).parent, self.settings)
        return Shown(
            epochs=value.epochs,
            curve=value.curve,
            is_over=value.stopped_early,
            facts={
                "best_epoch": value.best_epoch,
                "best_checkpoint": Path(value.best_checkpoint).name,
                "last_checkpoint": Path(value.last_checkpoint).name,
                "seconds": value.seconds,
                "examples_per_second": value.examples_per_second,
            },
        )


@dataclass(frozen=True, kw_only=True)
class SharedJobs:
    """Makes one job of several trials of one shape."""

    jobs: TrialJobs

    @property
    def most(self) -> int:
        """How many trials a job may hold: what the numeric plan found to be the fastest."""
        return self.jobs.base.plan.together

    def shape(self, trial: Trial) -> str:
        """Return what trials of one job have in common."""
        return shape(self.jobs.base.pipeline, trial.parameters)

    def call(self, trials: Sequence[Trial], epochs: int) -> tuple[Callable[..., Any], Any]:
        """Return the function and the argument that bring trials to so many epochs."""
        jobs = [self.jobs.job(trial, epochs) for trial in trials]
        return call_of_several(jobs, self.jobs.settings)

    def read(self, value: Sequence[JobResult | Failure]) -> list[Shown | Failure]:
        """Read what such a call returned, trial by trial."""
        return [one if isinstance(one, Failure) else self.jobs.read(one) for one in value]


def trial_folder(searches: Path, number: int) -> Path:
    """Return where a trial's checkpoints are."""
    return searches / "trials" / f"{number:05d}"
