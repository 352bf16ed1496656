"""Train a pipeline as one tracked run, or as a group of runs that differ in seed alone."""

import json
import sys
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gapwise import pipeline_file
from gapwise.data import changes, load
from gapwise.data import prepared as prepared_data
from gapwise.data.prepared import Prepared
from gapwise.errors import StoppedError
from gapwise.pipeline import Pipeline
from gapwise.records import SPLITS, Diagnosis, Job, JobResult, NumericPlan, plain
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.versions import code_versions
from gapwise.tracking.writer import RunWriter
from gapwise.training.job import run_job
from gapwise.training.plan import choose_plan
from gapwise.training.predict import predict
from gapwise.workflows.author import author
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.job_file import read_job, write_job
from gapwise.workflows.prepare import ready
from gapwise.workflows.progress import Progress
from gapwise.workflows.record import write_predictions
from gapwise.workflows.stop import stop_on_signals
from gapwise.workflows.track import TrackRun

ROOT_TAG = "gapwise.root"
"""The folder that relative paths of the run's pipeline refer to."""


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
    settings: Settings | None = None,
) -> Trained:
    """Train the pipeline ``name`` under ``seeds`` seeds and diagnose what came out.

    Raises:
        PipelineError, DataError, StorageError, TrainingError: with one sentence each.
        StoppedError: a signal asked to stop; the checkpoint is saved and ``resume`` goes on.
    """
    settings = settings or Settings.read()
    start = ready(name, settings, overrides)
    plan = choose_plan(pipeline_file.resolve(start.pipeline), start.prepared)
    group = uuid.uuid4().hex if seeds > 1 else None
    results: dict[str, JobResult] = {}
    for seed in range(start.pipeline.seed, start.pipeline.seed + seeds):
        pipeline = start.pipeline.model_copy(update={"seed": seed})
        with _create(settings, pipeline, start.prepared, group, run_name) as writer:
            job = _job(pipeline, start.prepared, writer, plan)
            _write_inputs(writer, pipeline, start.prepared, job)
            results[writer.run_id] = _work(writer, job, start.prepared, force=False)
    return _trained(results, start.prepared, pipeline.name, settings)


def resume(
    ref: str,
    *,
    force: bool = False,
    accept_data_change: bool = False,
    settings: Settings | None = None,
) -> Trained:
    """Go on with the run ``ref`` from its newest good checkpoint.

    Raises:
        BusyError: the run is still being trained.
        DataError: the run's source data changed, unless ``accept_data_change``.
        StorageError: the plan or the pipeline differ from the run's, unless ``force``.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    root = store.open(ref).tags.get(ROOT_TAG, ".")
    with store.reopen(ref) as writer:
        job = read_job(writer.folder)
        prepared = prepared_data.open(Path(job.data))
        _check_data(job, prepared, settings, Path(root), accept=accept_data_change)
        result = _work(writer, job, prepared, force=force)
    return _trained({writer.run_id: result}, prepared, job.pipeline["name"], settings)


def _check_data(
    job: Job, before: Prepared, settings: Settings, root: Path, *, accept: bool
) -> None:
    """Refuse to go on when the files behind the run's snapshot changed (FAULTS D11, L2)."""
    sentences = changes.changed_files(before)
    for sentence in sentences:
        sys.stderr.write(sentence + "\n")
    if sentences:
        after = load.prepare(Pipeline.model_validate(job.pipeline), settings, root)
        changes.check_unchanged(before, after, accept=accept)


def _create(
    settings: Settings,
    pipeline: Pipeline,
    prepared: Prepared,
    group: str | None,
    run_name: str | None,
) -> RunWriter:
    same = len(set(prepared.sources[prepared.split != ""])) == 1
    return RunStore(settings).create(
        experiment=pipeline.name,
        name=run_name,
        kind="train",
        seed=pipeline.seed,
        group=group,
        dataset=prepared.name,
        tags={
            "gapwise.pipeline": pipeline.name,
            "mlflow.source.name": f"gapwise train {pipeline.name}",
            "mlflow.user": author(),
            ROOT_TAG: str(Path.cwd()),
            "gapwise.input_shape": json.dumps(prepared.input_shape),
            "gapwise.notes": "\n".join(prepared.notes),
            "gapwise.quarantined": str(len(prepared.quarantine)),
            "gapwise.same_distribution": str(same or pipeline.splits.target is None).lower(),
        },
    )


def _job(pipeline: Pipeline, prepared: Prepared, writer: RunWriter, plan: NumericPlan) -> Job:
    return Job(
        pipeline=pipeline_file.resolve(pipeline),
        data=str(prepared.folder),
        folder=str(writer.folder / "checkpoints"),
        plan=plan,
        seed=pipeline.seed,
        epochs=pipeline.training.epochs,
    )


def _write_inputs(writer: RunWriter, pipeline: Pipeline, prepared: Prepared, job: Job) -> None:
    """Keep with the run all that it was made from."""
    folder = writer.folder
    (folder / "pipeline.yaml").write_text(pipeline_file.dump(pipeline), encoding="utf-8")
    write_job(folder, job)
    with (folder / "quarantine.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(asdict(item)) + "\n" for item in prepared.quarantine)
    for name in ("pipeline.yaml", "job.json", "quarantine.jsonl"):
        writer.log_file(folder / name)
    writer.log_parameters(flat(job.pipeline))
    writer.log_parameters({f"plan.{key}": value for key, value in asdict(job.plan).items()})
    writer.log_dataset(prepared.name, prepared.digest, str(prepared.folder))
    writer.log_tags({"gapwise.splits": prepared.assignment_digest} | code_versions(Path.cwd()))


def _work(writer: RunWriter, job: Job, prepared: Prepared, *, force: bool) -> JobResult:
    """Train to the end, predict every split from the best checkpoint, and finish the run."""
    writer.start_system_metrics()
    progress = Progress(f"{job.pipeline['name']} seed {job.seed}")
    with stop_on_signals() as stop:
        try:
            result = run_job(job, [TrackRun(writer), progress], should_stop=stop, force=force)
        except StoppedError as error:
            writer.finish("KILLED")
            error.exit_code = stop.exit_code
            raise
        finally:
            progress.close()
    best = Path(result.best_checkpoint)
    splits = [split for split in SPLITS if len(prepared.indices(split))]
    tables = {split: predict(best, job, prepared, split) for split in splits}
    write_predictions(writer, tables, prepared.media_root)
    for path in (best, best.with_suffix(".safetensors")):
        writer.log_file(path, "checkpoints")
    writer.log_metrics({"best_epoch": result.best_epoch, "epochs": result.epochs}, 0)
    writer.finish("FINISHED")
    return result


def _trained(
    results: dict[str, JobResult], prepared: Prepared, name: str, settings: Settings
) -> Trained:
    run_ids = tuple(results)
    speeds = [result.examples_per_second for result in results.values()]
    return Trained(
        run_ids=run_ids,
        name=name,
        seconds=sum(result.seconds for result in results.values()),
        examples_per_second=sum(speeds) / len(speeds),
        diagnosis=diagnose_runs(run_ids, settings=settings),
        quarantined=len(prepared.quarantine),
    )


def flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as dotted keys; lists stay values."""
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {
        key: value
        for name, branch in tree.items()
        for key, value in flat(branch, f"{prefix}.{name}" if prefix else str(name)).items()
    }
