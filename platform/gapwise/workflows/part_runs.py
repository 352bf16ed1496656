"""Runs on a part of the training data, as curves and folds need them: none is trained twice."""

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from gapwise import pipeline_file
from gapwise.data.prepared import Prepared
from gapwise.pipeline import Pipeline
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import job_file
from gapwise.workflows.seed_run import Batch, train_seed, work

POINT_TAG = "gapwise.curve"
"""What such a run was trained from: pipeline, data left and seed, as one digest."""

_SILENT = ("name", "description", "seed", "human", "diagnosis")
"""Keys of a pipeline that change nothing in a training."""


def run_of(batch: Batch, finished: Mapping[str, StoredRun], settings: Settings) -> tuple[str, bool]:
    """Return the run of a batch of one seed, and whether it was trained now.

    Args:
        batch: its tags hold ``POINT_TAG``.
        finished: ``known`` of its experiment.
        settings: where runs are.

    Raises:
        StoppedError: a signal asked to stop; called again, this goes on where it was.
    """
    done = finished.get(batch.tags[POINT_TAG])
    if done is not None and done.status == "FINISHED":
        return done.run_id, False
    return _trained(batch, done, settings), True


def known(store: RunStore, experiment: str) -> dict[str, StoredRun]:
    """Return the runs of an experiment by what they were trained from; finished ones win."""
    runs = [store.open(str(run_id)) for run_id in store.rows(experiment)["run_id"]]
    runs.sort(key=lambda run: run.status == "FINISHED")
    return {run.tags[POINT_TAG]: run for run in runs if POINT_TAG in run.tags}


def key(pipeline: Pipeline, prepared: Prepared, seed: int) -> str:
    """Return the digest of all that a run is trained from: what ``POINT_TAG`` holds."""
    values = pipeline_file.resolve(pipeline)
    facts = {key: values[key] for key in values if key not in _SILENT}
    text = json.dumps([facts, prepared.digest, seed], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def _trained(batch: Batch, stopped: StoredRun | None, settings: Settings) -> str:
    """Train a batch of one seed; one that was stopped goes on, where its job is here."""
    folder = None if stopped is None else stopped.folder
    if stopped is None or folder is None or not (folder / job_file.NAME).is_file():
        return train_seed(batch, batch.seeds[0], settings)[0]
    with RunStore(settings).reopen(stopped.run_id) as writer:
        job = job_file.read_job(writer.folder)
        work(writer, replace(job, data=str(batch.prepared.folder)), batch.prepared, force=False)
        return writer.run_id
