"""Several jobs of one shape as one: each keeps its folder, its checkpoints and its own end."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from torch import Tensor

from gapwise.data import prepared as prepared_data
from gapwise.errors import StoppedError, TrainingError
from gapwise.records import Job, JobResult, plain
from gapwise.training import faults
from gapwise.training.callbacks import Callback
from gapwise.training.job import prepare
from gapwise.training.loop import Loop
from gapwise.training.numerics import device_of, under
from gapwise.training.recipe import read_recipe
from gapwise.training.stack import Stack, is_stackable
from gapwise.training.steps import Wanted, advance
from gapwise.training.supply import open_supply

Outcome = JobResult | StoppedError | TrainingError
"""What became of a job: its result, or why it has none."""

_OWN = ("schedule", "l2", "clip_norm", "early_stopping", "checkpoint_seconds")
"""What each of some jobs that are trained together may have of its own, beside dropout and the
optimizer's numbers."""


def shape(pipeline: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """Return what jobs must have in common to be trained together, as one word.

    Raises:
        PipelineError: as ``read_recipe``.
    """
    recipe = read_recipe(pipeline, parameters)
    common = {key: value for key, value in asdict(recipe).items() if key not in _OWN}
    common["network"] = {k: v for k, v in recipe.network.items() if k != "dropout"}
    common["optimizer"] = {
        key: value
        for key, value in recipe.optimizer.items()
        if isinstance(value, bool) or not isinstance(value, int | float)
    }
    return json.dumps(plain(common), sort_keys=True)


def run_jobs(
    jobs: Sequence[Job],
    callbacks: Sequence[Sequence[Callback]],
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """Train jobs of one ``shape`` together, each as ``run_job`` would, up to the order of sums.

    Args:
        jobs: of one pipeline, data, seed, plan and number of epochs.
        callbacks: who listens to each.
        should_stop: asked after each step; a true answer saves a checkpoint of each and stops.

    Returns:
        What became of each job; a job that fails leaves the others alone.

    Raises:
        StoppedError: ``should_stop`` said so.
        StorageError: a checkpoint cannot be saved.
        GapwiseError: as ``run_job``, where no job can begin.
    """
    loops = _prepared(jobs, callbacks)
    first, examples = loops[0], len(loops[0].prepared.indices("train"))
    outcomes: list[StoppedError | TrainingError | None] = [None] * len(loops)
    with under(first.job.plan), faults.told(first.recipe, first.job.plan.device, examples):
        for loop in loops:
            loop.should_stop = should_stop
            loop.begin()
        # After a kill some may stand elsewhere than others; equal steps alone are taken together.
        standing = sorted(range(len(loops)), key=lambda at: loops[at].progress.total_steps)
        for _, same in groupby(standing, key=lambda at: loops[at].progress.total_steps):
            _Together({at: loops[at] for at in same}, outcomes).run()
    for outcome in outcomes:
        if isinstance(outcome, StoppedError):
            raise outcome
    return [loop.end() if why is None else why for loop, why in zip(loops, outcomes, strict=True)]


def _prepared(jobs: Sequence[Job], callbacks: Sequence[Sequence[Callback]]) -> list[Loop]:
    prepared = prepared_data.open(Path(jobs[0].data))
    recipes = [read_recipe(job.pipeline, job.parameters) for job in jobs]
    device = device_of(jobs[0].plan.device)
    supply = open_supply(recipes[0], prepared, jobs[0].seed, device).shared()
    return [
        prepare(job, recipe, prepared, heard, supply=supply)
        for job, recipe, heard in zip(jobs, recipes, callbacks, strict=True)
    ]


class _Together:
    """Loops that stand at one step, taken to their ends; one by one where none can be stacked."""

    def __init__(
        self, loops: Mapping[int, Loop], failures: list[StoppedError | TrainingError | None]
    ) -> None:
        self._loops, self._failures = loops, failures
        self._steps = {at: loop.steps() for at, loop in loops.items()}

    def run(self) -> None:
        """Take all steps; keep why a loop failed, and go on with the others."""
        if not all(is_stackable(loop.learner, loop.recipe) for loop in self._loops.values()):
            for at, loop in self._loops.items():
                self._alone(at, loop)
            return
        wanted = {at: step for at in self._loops if (step := self._next(at)) is not None}
        while wanted:
            at_work = list(wanted)
            stack = self._stack(at_work)
            while list(wanted) == at_work:
                taken = zip(*stack.step(list(wanted.values())), strict=True)
                answers = dict(zip(at_work, taken, strict=True))
                after = {at: self._next(at, answers[at]) for at in at_work}
                wanted = {at: step for at, step in after.items() if step is not None}

    def _alone(self, at: int, loop: Loop) -> None:
        try:
            loop.run()
        except (StoppedError, TrainingError) as error:
            self._failures[at] = error

    def _stack(self, at_work: Sequence[int]) -> Stack:
        for at in at_work:
            self._loops[at].share = 1 / len(at_work)
        return Stack([self._loops[at].learner for at in at_work])

    def _next(self, at: int, taken: tuple[Tensor, Tensor] | None = None) -> Wanted | None:
        try:
            return advance(self._steps[at], taken)
        except (StoppedError, TrainingError) as error:
            self._failures[at] = error
            return None
