"""One seed of a pipeline as one tracked run: made, trained, predicted from and finished."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from gapwise import pipeline_file
from gapwise.data.prepared import Prepared
from gapwise.errors import StoppedError
from gapwise.pipeline import Pipeline
from gapwise.records import SPLITS, Job, JobResult, NumericPlan
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.versions import code_versions
from gapwise.tracking.writer import RunWriter
from gapwise.training.callbacks import Callback
from gapwise.training.job import run_job
from gapwise.training.predict import predict
from gapwise.training.trial import Tell
from gapwise.workers.base import Context
from gapwise.workflows import job_file
from gapwise.workflows.author import author
from gapwise.workflows.progress import Progress
from gapwise.workflows.record import write_predictions
from gapwise.workflows.start_weights import StartWeights
from gapwise.workflows.stop import stop_on_signals
from gapwise.workflows.track import TrackRun

ROOT_TAG = "gapwise.root"
"""The folder that relative paths of the run's pipeline refer to."""

SEEDS_TAG = "gapwise.seeds"
"""The seeds that the run's group was asked for, such as ``0,1,2``."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One pipeline, data snapshot, plan and start, to be trained under several seeds.

    Attributes:
        experiment: where its runs are filed; by default the pipeline's name.
        kind: what its runs are made for: ``train``, or ``curve`` for a part of the training data.
        tags: added to those that every run has.
    """

    pipeline: Pipeline
    prepared: Prepared
    plan: NumericPlan
    seeds: tuple[int, ...]
    group: str | None
    run_name: str | None
    root: str
    start: StartWeights | None = None
    experiment: str | None = None
    kind: str = "train"
    tags: Mapping[str, str] = field(default_factory=dict)


def train_seed(batch: Batch, seed: int, settings: Settings) -> tuple[str, JobResult]:
    """Train one seed as a run of its own; give the run's id and the result."""
    with opened(batch, seed, settings) as writer:
        job = begin(writer, batch, seed)
        return writer.run_id, work(writer, job, batch.prepared, force=False)


def opened(batch: Batch, seed: int, settings: Settings, run_id: str | None = None) -> RunWriter:
    """Create the run of one seed, under an id of its own or the given one."""
    return _create(settings, batch.pipeline.model_copy(update={"seed": seed}), batch, run_id)


def begin(writer: RunWriter, batch: Batch, seed: int) -> Job:
    """Keep with a new run all that it is made from, and return its job."""
    # What was searched is no part of what one run was trained from.
    pipeline = batch.pipeline.model_copy(update={"seed": seed, "search": None})
    job = _job(pipeline, batch, writer)
    _write_inputs(writer, pipeline, batch.prepared, job)
    return job


def taken_up(batch: Batch, seed: int, settings: Settings, run_id: str) -> tuple[RunWriter, Job]:
    """Begin the run of an id, or go on with it where an attempt before this one left it."""
    folder = settings.runs / run_id
    if (folder / job_file.NAME).is_file():
        writer = RunStore(settings).reopen(run_id)
        return writer, replace(job_file.read_job(folder), data=str(batch.prepared.folder))
    if (folder / "run.json").is_file():
        writer = RunStore(settings).reopen(run_id)
    else:
        writer = opened(batch, seed, settings, run_id)
    return writer, begin(writer, batch, seed)


def work(
    writer: RunWriter,
    job: Job,
    prepared: Prepared,
    *,
    force: bool,
    context: Context | None = None,
    heard: Sequence[Callback] = (),
) -> JobResult:
    """Train to the end, predict every split from the best checkpoint, and finish the run.

    Args:
        writer: the run.
        job: what trains.
        prepared: its data.
        force: as ``run_job`` takes it.
        context: whom to hear and to tell on a worker; None where this process is its own master.
        heard: who else listens on a worker.
    """
    writer.start_system_metrics()
    if context is None:
        result = trained(writer, job, force=force)
    else:
        told = [TrackRun(writer), Tell(context), *heard]
        try:
            result = run_job(job, told, should_stop=context.should_stop, force=force)
        except StoppedError:
            writer.finish("KILLED")
            raise
    splits = [split for split in SPLITS if len(prepared.indices(split))]
    conclude(writer, job, result, dict.fromkeys(splits, prepared))
    return result


def trained(writer: RunWriter, job: Job, *, force: bool) -> JobResult:
    """Train a job to its epochs, told to the run and to people; a signal stops at a checkpoint."""
    progress = Progress(f"{job.pipeline['name']} seed {job.seed}")
    with stop_on_signals() as stop:
        try:
            return run_job(job, [TrackRun(writer), progress], should_stop=stop, force=force)
        except StoppedError as error:
            writer.finish("KILLED")
            error.exit_code = stop.exit_code
            raise
        finally:
            progress.close()


def conclude(
    writer: RunWriter, job: Job, result: JobResult, judged: Mapping[str, Prepared]
) -> None:
    """Predict from the best checkpoint, keep it, and finish the run.

    Args:
        writer: the run.
        job: what trained it.
        result: what came of that.
        judged: split → the data whose examples of that split are predicted.
    """
    best = Path(result.best_checkpoint)
    tables = {split: predict(best, job, data, split) for split, data in judged.items()}
    roots = {data.media_root for data in judged.values()}
    write_predictions(writer, tables, next(iter(roots)))
    for path in (best, best.with_suffix(".safetensors")):
        writer.log_file(path, "checkpoints")
    writer.log_metrics({"best_epoch": result.best_epoch, "epochs": result.epochs}, 0)
    writer.finish("FINISHED")


def _create(settings: Settings, pipeline: Pipeline, batch: Batch, run_id: str | None) -> RunWriter:
    prepared = batch.prepared
    same = len(set(prepared.sources[prepared.split != ""])) == 1
    return RunStore(settings).create(
        run_id=run_id,
        experiment=batch.experiment or pipeline.name,
        name=batch.run_name,
        kind=batch.kind,
        seed=pipeline.seed,
        group=batch.group,
        dataset=prepared.name,
        tags=dict(batch.tags)
        | {
            "gapwise.pipeline": pipeline.name,
            "mlflow.source.name": f"gapwise train {pipeline.name}",
            "mlflow.user": author(),
            ROOT_TAG: batch.root,
            SEEDS_TAG: ",".join(map(str, batch.seeds)),
            "gapwise.input_shape": json.dumps(prepared.input_shape),
            "gapwise.notes": "\n".join(prepared.notes),
            "gapwise.quarantined": str(len(prepared.quarantine)),
            "gapwise.same_distribution": str(same or pipeline.splits.target is None).lower(),
        },
    )


def _job(pipeline: Pipeline, batch: Batch, writer: RunWriter) -> Job:
    start = batch.start
    return Job(
        pipeline=pipeline_file.resolve(pipeline),
        data=str(batch.prepared.folder),
        folder=str(writer.folder / "checkpoints"),
        plan=batch.plan,
        seed=pipeline.seed,
        epochs=pipeline.training.epochs,
        start="" if start is None else str(start.keep(writer.folder)),
        start_digest="" if start is None else start.digest,
    )


def _write_inputs(writer: RunWriter, pipeline: Pipeline, prepared: Prepared, job: Job) -> None:
    """Keep with the run all that it was made from."""
    folder = writer.folder
    (folder / "pipeline.yaml").write_text(pipeline_file.dump(pipeline), encoding="utf-8")
    job_file.write_job(folder, job)
    with (folder / "quarantine.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(asdict(item)) + "\n" for item in prepared.quarantine)
    for name in ("pipeline.yaml", "job.json", "quarantine.jsonl"):
        writer.log_file(folder / name)
    writer.log_parameters(job.pipeline)
    writer.log_parameters({f"plan.{key}": value for key, value in asdict(job.plan).items()})
    writer.log_dataset(prepared.name, prepared.digest, str(prepared.folder))
    writer.log_tags({"gapwise.splits": prepared.assignment_digest} | code_versions(Path.cwd()))
