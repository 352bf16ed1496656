"""Train a pipeline as one tracked run, or as a group of runs that differ in seed alone."""

import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gapwise import pipeline_file
from gapwise.data import changes, load
from gapwise.data import prepared as prepared_data
from gapwise.data.prepared import Prepared
from gapwise.errors import redacted
from gapwise.pipeline import Pipeline
from gapwise.records import Diagnosis, Job, JobResult, plain
from gapwise.settings import Settings
from gapwise.tracking.store import SHORTEST_PREFIX, RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.tracking.writer import RunWriter
from gapwise.training.plan import choose_plan
from gapwise.workflows import job_file, start_weights
from gapwise.workflows.diagnose import diagnose_runs, group_of
from gapwise.workflows.far_trainings import bring_left
from gapwise.workflows.find_start import check_start, find_start
from gapwise.workflows.hide_secrets import hide_secrets
from gapwise.workflows.notify import notifying
from gapwise.workflows.prepare import Ready, labels_of, ready
from gapwise.workflows.seed_run import ROOT_TAG, SEEDS_TAG, Batch, train_seed, work
from gapwise.workflows.start_weights import StartWeights
from gapwise.workflows.train_on_workers import train_on_workers


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a training gave: of several seeds, the first run's id and the diagnosis of all."""

    run_ids: tuple[str, ...]
    name: str
    seconds: float
    examples_per_second: float
    diagnosis: Diagnosis
    quarantined: int

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``train --json``."""
        diagnosis = plain(self.diagnosis.as_json())
        return {
            "run_id": self.run_ids[0],
            "run_ids": list(self.run_ids),
            "name": self.name,
            "seconds": self.seconds,
            "examples_per_second": self.examples_per_second,
            "ladder": diagnosis["ladder"],
            "diagnosis": diagnosis,
        }


def train(
    name: str,
    overrides: Sequence[str] = (),
    *,
    seeds: int = 1,
    run_name: str | None = None,
    workers: str = "",
    settings: Settings | None = None,
) -> Trained:
    """Train the pipeline ``name`` under ``seeds`` seeds and diagnose what came out.

    Args:
        name, overrides: the pipeline.
        seeds: how many, from the pipeline's own on.
        run_name: name of the runs.
        workers: where they train: as ``open_workers`` takes it; "" for this process.
        settings: where state lives.

    Raises:
        PipelineError, DataError, StorageError, TrainingError: with one sentence each.
        StoppedError: a signal asked to stop; the checkpoint is saved and ``resume`` goes on.
    """
    settings = settings or Settings.read()
    with notifying(f"train {name}", settings) as tell:
        trained = _train(name, overrides, _Wish(seeds, run_name, workers), settings)
        tell(trained.diagnosis.verdict)
        return trained


@dataclass(frozen=True)
class _Wish:
    seeds: int
    run_name: str | None
    workers: str


def _train(name: str, overrides: Sequence[str], wish: _Wish, settings: Settings) -> Trained:
    start = ready(name, settings, overrides)
    hide_secrets(start.prepared)
    pipeline, weights = started(start, settings)
    resolved = pipeline_file.resolve(pipeline)
    if wish.workers not in ("", "1"):  # one thread each, where several share the machine
        resolved["training"]["threads"] = resolved["training"]["threads"] or 1
    plan = choose_plan(resolved, start.prepared)
    wanted = range(pipeline.seed, pipeline.seed + wish.seeds)
    batch = Batch(
        pipeline=pipeline,
        prepared=start.prepared,
        start=weights,
        plan=plan,
        seeds=tuple(wanted),
        group=uuid.uuid4().hex if wish.seeds > 1 else None,
        run_name=wish.run_name,
        root=str(Path.cwd()),
    )
    if wish.workers:
        results = train_on_workers(batch, wanted, wish.workers, settings)
    else:
        results = dict(train_seed(batch, seed, settings) for seed in wanted)
    return _trained(results, tuple(results), start.prepared, pipeline.name, settings)


def started(start: Ready, settings: Settings) -> tuple[Pipeline, StartWeights | None]:
    """Return the pipeline with the run that it starts from by its id, and the weights."""
    pipeline, transfer = start.pipeline, start.pipeline.transfer
    if transfer is None:
        return pipeline, None
    weights = find_start(pipeline, settings, lambda name: train(name, settings=settings).run_ids[0])
    check_start(weights, pipeline, start.prepared)
    named = transfer.model_copy(update={"start": weights.origin})
    return pipeline.model_copy(update={"transfer": named}), weights


def resume(
    ref: str,
    *,
    force: bool = False,
    accept_data_change: bool = False,
    settings: Settings | None = None,
) -> Trained:
    """Go on with the run ``ref`` from its newest good checkpoint.

    A run of a group of seeds brings its group: what else of it is missing or unfinished is trained
    too, from the same pipeline, data snapshot and plan, and all are diagnosed together.

    Raises:
        BusyError: the run is still being trained.
        DataError: the run's source data changed, unless ``accept_data_change``.
        StorageError: the plan or the pipeline differ from the run's, unless ``force``.
        ServiceError: the run trained far away, and the store that it went by does not answer.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    run = store.open(ref)
    root = Path(run.tags.get(ROOT_TAG, "."))
    pipeline_file.reveal(run.pipeline() or {})
    with _reopened(run, settings) as writer:
        job = job_file.read_job(writer.folder)
        prepared = prepared_data.open(Path(job.data))
        hide_secrets(prepared)
        _check_data(job, prepared, settings, root, accept=accept_data_change)
        results = {run.run_id: work(writer, job, prepared, force=force)}
    results |= _rest_of_group(run, job, prepared, settings, force=force)
    run_ids = [member.run_id for member in group_of(store, run)] if run.group else [run.run_id]
    return _trained(results, tuple(run_ids), prepared, job.pipeline["name"], settings)


def _rest_of_group(
    run: StoredRun, job: Job, prepared: Prepared, settings: Settings, *, force: bool
) -> dict[str, JobResult]:
    """Finish the other runs of ``run``'s group, and train the seeds that it lacks."""
    store = RunStore(settings)
    batch = _batch_of(run, job, prepared)
    members = _members(store, run)
    results: dict[str, JobResult] = {}
    for seed in batch.seeds:
        member = members.get(seed)
        if member is None:
            results |= [train_seed(batch, seed, settings)]
        elif not member.splits():
            with _reopened(member, settings) as writer:
                own = job_file.read_job(writer.folder)
                results[member.run_id] = work(writer, own, prepared, force=force)
    return results


def _reopened(run: StoredRun, settings: Settings) -> RunWriter:
    bring_left(run.run_id, settings)
    return RunStore(settings).reopen(run.run_id)


def _batch_of(run: StoredRun, job: Job, prepared: Prepared) -> Batch:
    """Return what the group of ``run`` was asked for, as its tags and its job say."""
    seeds = run.tags.get(SEEDS_TAG, "")
    given = None if run.name.endswith(f"-{run.run_id[:SHORTEST_PREFIX]}") else run.name
    return Batch(
        pipeline=Pipeline.model_validate(job.pipeline),
        prepared=prepared,
        plan=job.plan,
        seeds=tuple(int(seed) for seed in seeds.split(",") if seed),
        group=run.group,
        run_name=given,
        root=run.tags.get(ROOT_TAG, "."),
        start=start_weights.of_job(job),
    )


def _members(store: RunStore, run: StoredRun) -> dict[int | None, StoredRun]:
    """Return the runs of ``run``'s group by seed; it alone where it has none."""
    if not run.group:
        return {run.seed: run}
    rows = store.rows(run.experiment)
    ids = rows[rows["group"] == run.group]["run_id"]
    runs = list(map(store.open, ids))
    # One that was stopped before its job was written has nothing to go on with.
    begun = [r for r in runs if r.folder is None or (r.folder / job_file.NAME).is_file()]
    return {member.seed: member for member in begun}


def _check_data(
    job: Job, before: Prepared, settings: Settings, root: Path, *, accept: bool
) -> None:
    """Refuse to go on when the files behind the run's snapshot changed (FAULTS D11, L2)."""
    sentences = changes.changed_files(before)
    for sentence in sentences:
        sys.stderr.write(redacted(sentence) + "\n")
    if sentences:
        pipeline = Pipeline.model_validate(job.pipeline)
        after = load.prepare(pipeline, settings, root, labels_of(pipeline, settings))
        changes.check_unchanged(before, after, accept=accept)


def _trained(
    results: dict[str, JobResult],
    run_ids: tuple[str, ...],
    prepared: Prepared,
    name: str,
    settings: Settings,
) -> Trained:
    """Diagnose ``run_ids``; times and speeds are of the runs trained here, ``results``."""
    speeds = [result.examples_per_second for result in results.values()]
    return Trained(
        run_ids=run_ids,
        name=name,
        seconds=sum(result.seconds for result in results.values()),
        examples_per_second=sum(speeds) / len(speeds),
        diagnosis=diagnose_runs(run_ids, settings=settings),
        quarantined=len(prepared.quarantine),
    )
