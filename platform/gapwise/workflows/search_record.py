"""Write a search's trials to MLflow and Optuna, behind its driver's back, from its events alone.

Nothing here is the truth of a search: all of it can be written again, as often as one likes.
"""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from gapwise.pipeline import Pipeline
from gapwise.records import Job, JobResult
from gapwise.search.event_log import EventLog
from gapwise.search.events import State, Trial
from gapwise.tracking.drain import PARENT_TAG
from gapwise.tracking.store import RunStore
from gapwise.tracking.writer import RunWriter
from gapwise.training.checkpoints import read_values
from gapwise.training.recipe import overridden
from gapwise.workflows import seed_run
from gapwise.workflows.far_jobs import forget
from gapwise.workflows.search_jobs import trial_folder
from gapwise.workflows.search_study import Study
from gapwise.workflows.seed_run import Batch

STUDY_TAG = "gapwise.study"
TRIAL_TAG = "gapwise.trial"
STATE_TAG = "gapwise.state"

_STATUS: Mapping[str, Any] = {
    "done": "FINISHED",
    "stopped": "KILLED",
    "failed": "FAILED",
    "infeasible": "FAILED",
}


def run_id_of(study: str, *what: object) -> str:
    """Return the id of a run of a search: of itself, a round, a trial or a confirmation."""
    return sha256("/".join(map(str, (study, *what))).encode()).hexdigest()[:32]


class Recorder:
    """Follows one study's events and writes what has ended."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._settings = study.settings
        self._store = RunStore(study.settings)
        self._log = EventLog(study.settings.studies_url)
        self._state = State()
        self._written: set[int] = set()
        self._rounds: set[int] = set()

    def catch_up(self) -> None:
        """Write every round and trial that has ended and is not written yet.

        Raises:
            StorageError, ServiceError: a store refuses; called again, this goes on.
        """
        for event in self._log.read(self._study.name, self._state.count):
            self._state.apply(event)
        if self._state.rounds and not self._rounds:
            self._parent("search", run_id_of(self._study.name), "", self._study.name)
        for one in self._state.rounds:
            if one.number not in self._rounds:
                name = f"{self._study.name}-round-{one.number + 1}"
                run_id = run_id_of(self._study.name, "round", one.number)
                self._parent("round", run_id, run_id_of(self._study.name), name)
                self._rounds.add(one.number)
        for trial in self._state.trials:
            if trial.state != "running" and trial.number not in self._written:
                self._trial(trial)
                self._written.add(trial.number)

    def _parent(self, kind: str, run_id: str, parent: str, name: str) -> None:
        if self._is_written(run_id, "FINISHED"):
            return
        batch = replace(self._batch(self._study.pipeline, kind, name), tags=self._tags(parent))
        with self._writer(batch, run_id) as writer:
            writer.finish("FINISHED")

    def _trial(self, trial: Trial) -> None:
        run_id = run_id_of(self._study.name, "trial", trial.number)
        folder = trial_folder(self._study.folder, trial.number)
        if not self._is_written(run_id, _STATUS[trial.state]):
            pipeline = changed(self._study.pipeline, trial.parameters)
            name = f"{self._study.name}-{trial.number}"
            parent = run_id_of(self._study.name, "round", trial.round)
            tags = self._tags(parent) | {
                TRIAL_TAG: str(trial.number),
                STATE_TAG: trial.state,
                "gapwise.reason": trial.reason,
            }
            batch = replace(self._batch(pipeline, "trial", name), tags=tags)
            with self._writer(batch, run_id) as writer:
                self._write(writer, batch, trial, folder)
        shutil.rmtree(folder, ignore_errors=True)
        forget(folder, self._settings)

    def _write(self, writer: RunWriter, batch: Batch, trial: Trial, folder: Path) -> None:
        job = seed_run.begin(writer, batch, self._study.pipeline.seed)
        if trial.rungs:
            last = trial.rungs[-1].facts
            history = read_values(folder / last["last_checkpoint"])["history"]
            for epoch, metrics in enumerate(history[: trial.epochs], 1):
                writer.log_metrics(metrics, epoch)
        if trial.state != "done":
            writer.log_metrics({"epochs": trial.epochs}, 0)
            writer.finish(_STATUS[trial.state])
            return
        best = _kept(folder / trial.rungs[-1].facts["best_checkpoint"], job)
        choosing = self._study.halves.choosing
        splits = [s for s in ("train", "train_dev", "dev") if len(choosing.indices(s))]
        seed_run.conclude(writer, job, _result(trial, best), dict.fromkeys(splits, choosing))

    def _tags(self, parent: str) -> dict[str, str]:
        tags = {STUDY_TAG: self._study.name}
        return tags | {PARENT_TAG: parent} if parent else tags

    def _batch(self, pipeline: Pipeline, kind: str, name: str) -> Batch:
        return Batch(
            pipeline=pipeline,
            prepared=self._study.halves.choosing,
            plan=self._study.numeric,
            seeds=(pipeline.seed,),
            group=None,
            run_name=name,
            root=self._state.opened["root"],
            start=self._study.start,
            kind=kind,
        )

    def _writer(self, batch: Batch, run_id: str) -> RunWriter:
        if (self._settings.runs / run_id / "run.json").is_file():
            return self._store.reopen(run_id)
        return seed_run.opened(batch, batch.pipeline.seed, self._settings, run_id)

    def _is_written(self, run_id: str, status: str) -> bool:
        """Whether a run has ended as it should: one that a full disk cut off says FAILED."""
        if not (self._settings.runs / run_id / "run.json").is_file():
            return False
        run = self._store.open(run_id)
        return run.ended is not None and run.status == status


def changed(pipeline: Pipeline, parameters: Mapping[str, Any]) -> Pipeline:
    """Return the pipeline that a trial trained."""
    values = overridden(pipeline.model_dump(mode="json"), dict(sorted(parameters.items())))
    return Pipeline.model_validate(values)


def _kept(best: Path, job: Job) -> Path:
    """Move a trial's best checkpoint into its run."""
    target = Path(job.folder)
    target.mkdir(parents=True, exist_ok=True)
    for path in (best.with_suffix(".safetensors"), best):
        if path.is_file():
            shutil.copyfile(path, target / path.name)
    return target / best.name


def _result(trial: Trial, best: Path) -> JobResult:
    facts = trial.rungs[-1].facts
    assert trial.value is not None
    return JobResult(
        best_epoch=facts["best_epoch"],
        best_dev_error=trial.value,
        epochs=trial.epochs,
        best_checkpoint=str(best),
        last_checkpoint=str(best),
        stopped_early=False,
        seconds=facts["seconds"],
        examples_per_second=facts["examples_per_second"],
    )
