"""Hold a search's winner against the pipeline as it was, on examples that have chosen nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.gate import Limit
from gapwise.diagnostics.measures import measure
from gapwise.errors import MemoryShortError, StoppedError, TrainingError
from gapwise.records import Job, JobResult, Predictions
from gapwise.search.driver import best_first
from gapwise.search.events import State, Trial
from gapwise.statistics.best_of import best_of
from gapwise.statistics.paired_seeds import paired_seeds
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.tracking.writer import RunWriter
from gapwise.workers.base import MOST_ATTEMPTS, News, Workers
from gapwise.workflows import labelled, seed_run
from gapwise.workflows.far_jobs import bring, call_of
from gapwise.workflows.measuring import Measuring
from gapwise.workflows.search_record import STUDY_TAG, changed, run_id_of
from gapwise.workflows.search_study import Study
from gapwise.workflows.seed_run import Batch

MOST_CANDIDATES = 200
"""Trials that the best-of-N correction looks at: those with the lowest errors."""

_UNFIT = (TrainingError.__name__, MemoryShortError.__name__)
"""Failures that are the setting's own: another setting may train where this one does not."""


class UnfitError(TrainingError):
    """A setting that chose well once could not be trained again.

    Attributes:
        trial: its number.
    """

    def __init__(self, message: str, trial: int) -> None:
        super().__init__(message)
        self.trial = trial


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The winner, and the trials before it that broke a limit, with the reason."""

    winner: Trial
    broke: Mapping[int, str]


def choose(study: Study, state: State, limits: Sequence[str]) -> Chosen | None:
    """Return the best trial that keeps every limit and is not unfit; None where none does."""
    broke: dict[int, str] = {}
    parsed = [Limit.parse(text) for text in limits]
    measuring = Measuring(split="dev", settings=study.settings)
    store = RunStore(study.settings)
    for trial in best_first(state.trials):
        if trial.unfit:
            continue
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
    own: Trial,
    seeds: int,
    workers: Workers,
    should_stop: Callable[[], bool],
) -> dict[str, Any]:
    """Train the winner and the pipeline as it is under every seed, and compare them paired.

    Args:
        study: the search.
        winner: the trial that won.
        own: the trial of the pipeline as it is.
        seeds: how many; from the pipeline's own on.
        workers: where the trainings run.
        should_stop: asked while they run.

    Raises:
        StoppedError: it said so; called again, this goes on.
        UnfitError: one of them cannot be trained under some seed.
        TrainingError: a training failed for a reason that is not its setting's.
    """
    first = study.pipeline.seed
    wanted = tuple(range(first, first + seeds))
    batches = {
        trial.number: _batch(study, which, trial, wanted)
        for which, trial in (("winner", winner), ("incumbent", own))
    }
    confirming = _Confirming(study, batches, workers)
    confirming.run([(number, seed) for seed in wanted for number in batches], should_stop)
    return _compared(confirming, winner.number, own.number, wanted)


class _Confirming:
    """The trainings of both settings, as runs."""

    def __init__(self, study: Study, batches: Mapping[int, Batch], workers: Workers) -> None:
        self._study, self._batches, self._workers = study, batches, workers
        self._store = RunStore(study.settings)
        self._unfit: UnfitError | None = None

    def run(self, todo: Sequence[tuple[int, int]], should_stop: Callable[[], bool]) -> None:
        waiting = [one for one in todo if not self._is_done(*one)]
        out: dict[str, tuple[int, int, RunWriter, Job, int]] = {}
        try:
            while waiting or out:
                if should_stop():
                    raise StoppedError(
                        f"the confirmation of {self._study.name} stopped as asked; called again, "
                        "it goes on"
                    )
                waiting = self._fill(out, waiting)
                for news in self._workers.wait(0.5):
                    if not isinstance(news, News) and news.key in out:
                        self._take(out, news)
        finally:
            for *_, writer, _, _ in out.values():
                writer.finish("KILLED")
        if self._unfit is not None:
            raise self._unfit

    def _fill(self, out: dict[str, Any], waiting: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Begin what there is room for, and return what then waits.

        Of a setting that failed no more is begun; the other's runs serve the next candidate too.
        """
        if self._unfit is not None:
            waiting = [one for one in waiting if one[0] != self._unfit.trial]
        room = self._workers.slots - len(out)
        for number, seed in waiting[:room]:
            self._submit(out, number, seed, 0)
        return waiting[room:]

    def tables(self, number: int, seeds: Sequence[int]) -> list[Predictions]:
        runs = [self._store.open(self.run_id(number, seed)) for seed in seeds]
        return [labelled.read(run, "dev", self._study.settings) for run in runs]

    def run_id(self, number: int, seed: int) -> str:
        return run_id_of(self._study.name, "confirm", number, seed)

    def _is_done(self, number: int, seed: int) -> bool:
        run_id = self.run_id(number, seed)
        path = self._study.settings.runs / run_id / "run.json"
        return path.is_file() and self._store.open(run_id).status == "FINISHED"

    def _submit(self, out: dict[str, Any], number: int, seed: int, attempt: int) -> None:
        run_id, batch = self.run_id(number, seed), self._batches[number]
        writer, job = seed_run.taken_up(batch, seed, self._study.settings, run_id)
        key = f"{number}.{seed}.{attempt}"
        out[key] = (number, seed, writer, job, attempt)
        self._workers.submit(key, *call_of(job, self._study.settings))

    def _take(self, out: dict[str, Any], done: Any) -> None:
        number, seed, writer, job, attempt = out.pop(done.key)
        if done.lost and attempt + 1 < MOST_ATTEMPTS:
            writer.finish("KILLED")
            self._submit(out, number, seed, attempt + 1)
        elif done.lost:
            self._fail(writer, number, seed, done.lost)
        elif done.failure is None:
            self._conclude(writer, job, done.value)
        elif done.failure.stopped:
            writer.finish("KILLED")
            raise StoppedError(done.failure.message)
        elif done.failure.kind in _UNFIT:
            self._fail(writer, number, seed, done.failure.message)
        else:
            writer.finish("FAILED")
            raise TrainingError(
                f"trial {number} of {self._study.name} could not be confirmed under seed {seed}: "
                f"{done.failure.message}"
            )

    def _fail(self, writer: RunWriter, number: int, seed: int, why: str) -> None:
        writer.finish("FAILED")
        self._unfit = UnfitError(f"under seed {seed}: {why}", number)

    def _conclude(self, writer: RunWriter, job: Job, result: JobResult) -> None:
        bring(Path(job.folder), self._study.settings)
        for epoch, error in enumerate(result.curve, 1):
            writer.log_metrics({"dev_error_chosen_by": error}, epoch)
        halves = self._study.halves
        judged = {
            split: halves.confirming if split == "dev" else halves.choosing
            for split in ("train", "train_dev", "dev")
            if len(halves.choosing.indices(split))
        }
        seed_run.conclude(writer, job, result, judged)


def _batch(study: Study, which: str, trial: Trial, seeds: tuple[int, ...]) -> Batch:
    return Batch(
        pipeline=changed(study.pipeline, trial.parameters),
        prepared=study.halves.choosing,
        plan=study.numeric,
        seeds=seeds,
        group=run_id_of(study.name, "confirm", trial.number) if len(seeds) > 1 else None,
        run_name=f"{study.name}-{which}",
        root=str(study.folder),
        start=study.start,
        kind="confirm",
        tags={STUDY_TAG: study.name, "gapwise.confirms": which},
    )


def _compared(
    confirming: _Confirming, winner: int, own: int, seeds: Sequence[int]
) -> dict[str, Any]:
    theirs, ours = (confirming.tables(number, seeds) for number in (winner, own))
    first = theirs[0]
    found = paired_seeds(_errors(ours), _errors(theirs), first.weight, first.group)
    ids = [[confirming.run_id(number, seed) for seed in seeds] for number in (winner, own)]
    return {
        "winner_runs": ids[0],
        "incumbent_runs": ids[1],
        "winner_error": found.second,
        "incumbent_error": found.first,
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "n": first.error.shape[0],
        "seeds": len(seeds),
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
