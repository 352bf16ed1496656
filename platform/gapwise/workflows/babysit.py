"""`gapwise babysit`: one model, watched from rung to rung, its knobs turned by hand (notes 3.14).

The panda way: a training goes on for some epochs, pauses, shows its curve, and goes on with
whatever knob was changed. Every change is kept with the run.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gapwise import overrides as dotted
from gapwise import pipeline_file, yaml_reader
from gapwise.data import prepared as prepared_data
from gapwise.errors import UsageError, did_you_mean
from gapwise.pipeline import Pipeline
from gapwise.records import SPLITS, Job, plain
from gapwise.search.rungs import rung_epochs
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.writer import RunWriter
from gapwise.training.checkpoints import CheckpointStore, read_values
from gapwise.training.plan import choose_plan
from gapwise.workflows import job_file, seed_run
from gapwise.workflows.pipeline_values import value_at
from gapwise.workflows.prepare import check_parts, ready
from gapwise.workflows.seed_run import Batch
from gapwise.workflows.train import started

LOG = "babysit.jsonl"
"""The file in the run's folder that every change stands in."""

TURNED = (
    *("training.optimizer.", "training.schedule", "training.augmentation.", "training.l2"),
    *("training.clip_norm", "training.epochs", "network.dropout", "task.label_smoothing"),
)
"""Knobs that may be turned while a training pauses: those that leave its weights as they are."""


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """How a babysat training stands after some epochs.

    Attributes:
        run_id: the run.
        epoch, epochs: epochs done, and of the whole training.
        history: the metrics of every epoch so far.
        changes: every change so far: after which epoch, which key, from what to what.
        over: whether it is trained to the end.
    """

    run_id: str
    epoch: int
    epochs: int
    history: tuple[Mapping[str, float], ...]
    changes: tuple[Mapping[str, Any], ...]
    over: bool

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``babysit --json``."""
        found: dict[str, Any] = plain(vars(self))
        return found


def babysit(
    ref: str,
    changes: Sequence[str] = (),
    *,
    epochs: int | None = None,
    settings: Settings | None = None,
) -> Sitting:
    """Go on with a run for some epochs, with knobs changed, and pause.

    Args:
        ref: a run that was trained here and has not finished, or a pipeline, to begin one.
        changes: dotted overrides: of a run, of the knobs that may be turned; of a pipeline, any.
        epochs: until the next pause; by default until the next rung of 1, 3, 9, … epochs.
        settings: where runs are.

    Raises:
        UsageError: the run has finished, was not trained here, or a knob may not be turned now.
        PipelineError: a value is wrong; the run stays as it was.
        StoppedError: a signal asked to stop; a checkpoint is saved.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    if ref in pipeline_file.known() or ref.endswith((".yaml", ".yml")):
        ref, changes = _begun(ref, changes, settings), ()
    run = store.open(ref)
    if run.status == "FINISHED":
        raise UsageError(
            f"run {run.run_id} ({run.name}) has finished; babysit one that was stopped, as "
            "`gapwise train PIPELINE` is by Ctrl-C"
        )
    if run.folder is None or not (run.folder / job_file.NAME).is_file():
        raise UsageError(
            f"run {run.run_id} ({run.name}) was not trained here; babysit it where it was"
        )
    before = job_file.read_job(run.folder)
    after = _turned(before, changes)
    with store.reopen(run.run_id) as writer:
        done = len(history_of(writer.folder))
        job = replace(before, pipeline=after, epochs=after["training"]["epochs"])
        if changes:
            _note(writer, done, changes, before, job)
        until = min(job.epochs, done + epochs if epochs else _next_rung(job.epochs, done))
        result = seed_run.trained(writer, replace(job, epochs=until), force=bool(changes))
        over = until >= job.epochs or result.stopped_early
        if over:
            prepared = prepared_data.open(Path(job.data))
            splits = [split for split in SPLITS if len(prepared.indices(split))]
            seed_run.conclude(writer, job, result, dict.fromkeys(splits, prepared))
        else:
            writer.finish("KILLED")
        return look(writer.folder, writer.run_id, over=over)


def look(folder: Path, run_id: str, *, over: bool = False) -> Sitting:
    """Return how a run stands, without training."""
    history = history_of(folder)
    return Sitting(
        run_id=run_id,
        epoch=len(history),
        epochs=job_file.read_job(folder).epochs,
        history=tuple(history),
        changes=tuple(_changes_of(folder)),
        over=over,
    )


def history_of(folder: Path) -> list[Mapping[str, float]]:
    """Return the metrics of every epoch that a run has done."""
    newest = next(CheckpointStore(folder / "checkpoints").newest_first(), None)
    return [] if newest is None else list(read_values(newest)["history"])


def _begun(name: str, overrides: Sequence[str], settings: Settings) -> str:
    """Make the run of a pipeline that is babysat from its first epoch on; return its id."""
    start = ready(name, settings, overrides)
    pipeline, weights = started(start, settings)
    batch = Batch(
        pipeline=pipeline,
        prepared=start.prepared,
        plan=choose_plan(pipeline_file.resolve(pipeline), start.prepared),
        seeds=(pipeline.seed,),
        group=None,
        run_name=None,
        root=str(Path.cwd()),
        start=weights,
    )
    with seed_run.opened(batch, pipeline.seed, settings) as writer:
        seed_run.begin(writer, batch, pipeline.seed)
        writer.finish("KILLED")
        return writer.run_id


def _turned(job: Job, changes: Sequence[str]) -> dict[str, Any]:
    """Return the job's pipeline with knobs turned, checked as a file's would be.

    Raises:
        UsageError: a knob that may not be turned while a training pauses.
        PipelineError: a value is wrong.
    """
    document = yaml_reader.read(pipeline_file.as_yaml(job.pipeline), "the run's pipeline")
    for change in changes:
        key = change.partition("=")[0].strip()
        if not key.startswith(TURNED) or key == "training.optimizer.name":
            raise UsageError(
                f"{key} cannot be turned while a training pauses, for its weights would not fit; "
                f"{did_you_mean(key, [knob.rstrip('.') for knob in TURNED])}"
            )
        dotted.apply(document, change)
    pipeline = pipeline_file.validated(document)
    check_parts(pipeline)
    return pipeline_file.resolve(pipeline)


def _note(writer: RunWriter, epoch: int, changes: Sequence[str], before: Job, after: Job) -> None:
    """Keep every change with the run: as a file, as its pipeline from now on, and in MLflow."""
    with (writer.folder / LOG).open("a", encoding="utf-8") as log:
        for change in changes:
            key, _, value = change.partition("=")
            entry = {
                "epoch": epoch,
                "key": key.strip(),
                "before": value_at(before.pipeline, key.strip()),
                "after": value.strip(),
                "at": time.time(),
            }
            log.write(json.dumps(entry) + "\n")
    job_file.write_job(writer.folder, after)
    pipeline = Pipeline.model_validate(after.pipeline)
    text = pipeline_file.dump(pipeline)
    (writer.folder / "pipeline.yaml").write_text(text, encoding="utf-8")
    for name in (LOG, job_file.NAME, "pipeline.yaml"):
        writer.log_file(writer.folder / name)
    writer.log_parameters(after.pipeline)
    writer.log_tags({"gapwise.babysat": str(len(_changes_of(writer.folder)))})


def _changes_of(folder: Path) -> list[dict[str, Any]]:
    path = folder / LOG
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _next_rung(epochs: int, done: int) -> int:
    return next(rung for rung in rung_epochs(epochs, 1, 3) if rung > done or rung == epochs)
