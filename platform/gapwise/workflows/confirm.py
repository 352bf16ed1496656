"""Hold a search's winner against the pipeline as it was, on examples that have chosen nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.gate import Limit
from gapwise.diagnostics.measures import measure
from gapwise.errors import StoppedError, TrainingError
from gapwise.records import Job, JobResult, Predictions
from gapwise.search.driver import MOST_ATTEMPTS, best_first
from gapwise.search.events import State, Trial
from gapwise.statistics.best_of import best_of
from gapwise.statistics.paired_seeds import paired_seeds
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.tracking.writer import RunWriter
from gapwise.training.trial import run_trial
from gapwise.workers.base import News, Workers
from gapwise.workflows import labelled, seed_run
from gapwise.workflows.job_file import NAME as JOB_FILE
from gapwise.workflows.job_file import read_job
from gapwise.workflows.measuring import Measuring
from gapwise.workflows.search_record import STUDY_TAG, changed, run_id_of
from gapwise.workflows.search_study import Study
from gapwise.workflows.seed_run import Batch

MOST_CANDIDATES = 200
"""Trials that the best-of-N correction looks at: those with the lowest errors."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The winner, and the trials before it that broke a limit, with the reason."""

    winner: Trial
    broke: Mapping[int, str]


def choose(study: Study, state: State, limits: Sequence[str]) -> Chosen | None:
    """Return the best trial that keeps every limit; None where none does."""
    broke: dict[int, str] = {}
    parsed = [Limit.parse(text) for text in limits]
    measuring = Measuring(split="dev", settings=study.settings)
    store = RunStore(study.settings)
    for trial in best_first(state.trials):
        run = store.open(run_id_of(study.name, "trial", trial.number))
        why = _broken(measuring, parsed, run)
        if not why:
            return Chosen(winner=trial, broke=broke)
        broke[trial.number] = why
    return None


def optimism(study: Study, state: State) -> dict[str, Any] | None:
    """Return how much too good the best trial's error is for having been chosen; None without two.

    Bootstrap over the examples that chose, among the trials that were trained to the end.
    """
    store = RunStore(study.settings)
    trials = best_first(state.trials)[:MOST_CANDIDATES]
    if len(trials) < 2:
        return None
    runs = [store.open(run_id_of(study.name, "trial", trial.number)) for trial in trials]
    tables = [labelled.read(run, "dev", study.settings) for run in runs]
    found = best_of(np.stack([table.error for table in tables]), tables[0].weight, tables[0].group)
    return {
        "apparent": found.apparent,
        "corrected": found.corrected,
        "low": found.low,
        "high": found.high,
        "candidates": found.candidates,
        "n": found.n,
    }


def confirm(
    study: Study,
    winner: Trial,
    own: Mapping[str, Any],
    seeds: int,
    workers: Workers,
    should_stop: Callable[[], bool],
) -> dict[str, Any]:
    """Train the winner and the pipeline as it is under every seed, and compare them paired.

    Args:
        study: the search.
        winner: the trial that won.
        own: the values that the pipeline itself has.
        seeds: how many; from the pipeline's own on.
        workers: where the trainings run.
        should_stop: asked while they run.

    Raises:
        StoppedError: it said so; called again, this goes on.
        TrainingError: a training failed.
    """
    first = study.pipeline.seed
    batches = {
        which: _batch(study, which, parameters, seeds)
        for which, parameters in (("winner", winner.parameters), ("incumbent", own))
    }
    todo = [(which, first + n) for n in range(seeds) for which in batches]
    confirming = _Confirming(study, batches, workers)
    confirming.run(todo, should_stop)
    tables = {
        which: [confirming.table(which, first + n) for n in range(seeds)] for which in batches
    }
    return _compared(study, tables, seeds)


class _Confirming:
    """The trainings of both settings, as runs."""

    def __init__(self, study: Study, batches: Mapping[str, Batch], workers: Workers) -> None:
        self._study, self._batches, self._workers = study, batches, workers
        self._store = RunStore(study.settings)

    def run(self, todo: Sequence[tuple[str, int]], should_stop: Callable[[], bool]) -> None:
        waiting = [one for one in todo if not self._is_done(*one)]
        out: dict[str, tuple[str, int, RunWriter, Job, int]] = {}
        try:
            while waiting or out:
                if should_stop():
                    raise StoppedError(
                        f"the confirmation of {self._study.name} stopped as asked; called again, "
                        "it goes on"
                    )
                while waiting and len(out) < self._workers.slots:
                    which, seed = waiting.pop(0)
                    self._submit(out, which, seed, 0)
                for news in self._workers.wait(0.5):
                    if not isinstance(news, News) and news.key in out:
                        self._take(out, news)
        finally:
            for *_, writer, _, _ in out.values():
                writer.finish("KILLED")

    def table(self, which: str, seed: int) -> Predictions:
        run = self._store.open(self.run_id(which, seed))
        return labelled.read(run, "dev", self._study.settings)

    def run_id(self, which: str, seed: int) -> str:
        return run_id_of(self._study.name, which, seed)

    def _is_done(self, which: str, seed: int) -> bool:
        path = self._study.settings.runs / self.run_id(which, seed) / "run.json"
        return path.is_file() and self._store.open(self.run_id(which, seed)).status == "FINISHED"

    def _submit(self, out: dict[str, Any], which: str, seed: int, attempt: int) -> None:
        run_id, batch = self.run_id(which, seed), self._batches[which]
        folder = self._study.settings.runs / run_id
        if (folder / JOB_FILE).is_file():
            writer = self._store.reopen(run_id)
            job = replace(read_job(folder), data=str(batch.prepared.folder))
        else:
            writer = (
                self._store.reopen(run_id)
                if (folder / "run.json").is_file()
                else seed_run.opened(batch, seed, self._study.settings, run_id)
            )
            job = seed_run.begin(writer, batch, seed)
        key = f"{which}.{seed}.{attempt}"
        out[key] = (which, seed, writer, job, attempt)
        self._workers.submit(key, run_trial, job)

    def _take(self, out: dict[str, Any], done: Any) -> None:
        which, seed, writer, job, attempt = out.pop(done.key)
        if done.lost and attempt + 1 < MOST_ATTEMPTS:
            writer.finish("KILLED")
            self._submit(out, which, seed, attempt + 1)
            return
        if done.lost or done.failure is not None:
            stopped = done.failure is not None and done.failure.stopped
            writer.finish("KILLED" if stopped else "FAILED")
            why = done.lost or done.failure.message
            raise (StoppedError if stopped else TrainingError)(
                f"the {which} of {self._study.name} could not be trained under seed {seed}: {why}"
            )
        self._conclude(writer, job, done.value)

    def _conclude(self, writer: RunWriter, job: Job, result: JobResult) -> None:
        for epoch, error in enumerate(result.curve, 1):
            writer.log_metrics({"dev_error_chosen_by": error}, epoch)
        halves = self._study.halves
        judged = {
            split: halves.confirming if split == "dev" else halves.choosing
            for split in ("train", "train_dev", "dev")
            if len(halves.choosing.indices(split))
        }
        seed_run.conclude(writer, job, result, judged)


def _batch(study: Study, which: str, parameters: Mapping[str, Any], seeds: int) -> Batch:
    pipeline = changed(study.pipeline, parameters)
    first = study.pipeline.seed
    return Batch(
        pipeline=pipeline,
        prepared=study.halves.choosing,
        plan=study.numeric,
        seeds=tuple(range(first, first + seeds)),
        group=run_id_of(study.name, which) if seeds > 1 else None,
        run_name=f"{study.name}-{which}",
        root=str(study.folder),
        start=study.start,
        kind="confirm",
        tags={STUDY_TAG: study.name, "gapwise.confirms": which},
    )


def _compared(study: Study, tables: Mapping[str, list[Predictions]], seeds: int) -> dict[str, Any]:
    ours, theirs = (_errors(tables[which]) for which in ("incumbent", "winner"))
    first = tables["winner"][0]
    found = paired_seeds(ours, theirs, first.weight, first.group)
    seed = study.pipeline.seed
    ids = {
        which: [run_id_of(study.name, which, seed + n) for n in range(seeds)] for which in tables
    }
    return {
        "winner_runs": ids["winner"],
        "incumbent_runs": ids["incumbent"],
        "winner_error": found.second,
        "incumbent_error": found.first,
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "n": first.error.shape[0],
        "seeds": seeds,
    }


def _errors(tables: Sequence[Predictions]) -> NDArray[np.float64]:
    """Return (seeds, examples)."""
    return np.stack([table.error for table in tables])


def _broken(measuring: Measuring, limits: Sequence[Limit], run: StoredRun) -> str:
    """Return the limit that a run breaks, and by what; "" where it keeps them all."""
    wanted = {limit.metric: measure(limit.metric) for limit in limits}
    if wanted:
        measuring.read([run], wanted.values())
    for limit in limits:
        found = measuring.value(wanted[limit.metric], run)
        if found.value is None:
            return f"{limit}: {found.why}"
        rule = limit.judge(found.value, found.interval)
        if rule.outcome != "holds":
            return rule.says
    return ""
