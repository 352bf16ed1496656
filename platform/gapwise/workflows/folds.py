"""Every training example judged by a network that never saw it: K trainings, each without a fold.

What comes out is one run whose predictions of train are out of sample, so that wrong labels of the
training set can be found as those of dev are (`gapwise suspects RUN --folds 5`).
"""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from gapwise.data import prepared as prepared_data
from gapwise.data.folds import HELD_OUT, check_folds, fold
from gapwise.errors import UsageError
from gapwise.pipeline import Pipeline
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import CURVE_KIND, FOLDS_KIND, RunStore
from gapwise.tracking.stored import MEMBERS_TAG, StoredRun
from gapwise.workflows import job_file, part_runs, start_weights
from gapwise.workflows.part_runs import POINT_TAG
from gapwise.workflows.record import write_predictions
from gapwise.workflows.seed_run import ROOT_TAG, Batch


def judge_by_folds(run: StoredRun, folds: int, settings: Settings) -> str:
    """Return the run that holds out-of-sample predictions of ``run``'s training set.

    Trainings that are finished are taken as they are; one that was stopped goes on.

    Raises:
        UsageError: the run was not trained here, or the number of folds is none.
        StoppedError: a signal asked to stop; called again, this goes on where it was.
    """
    if run.folder is None or not (run.folder / job_file.NAME).is_file():
        raise UsageError(
            f"run {run.run_id} ({run.name}) was not trained here, so its training cannot be "
            "repeated without a fold; name one that `gapwise train` made"
        )
    job = job_file.read_job(run.folder)
    whole = prepared_data.open(Path(job.data))
    check_folds(folds, len(whole.indices("train")))
    pipeline = Pipeline.model_validate(job.pipeline)
    experiment = f"{pipeline.name}-{FOLDS_KIND}"
    batch = Batch(
        pipeline=pipeline,
        prepared=whole,
        plan=job.plan,
        seeds=(job.seed,),
        group=None,
        run_name=None,
        root=run.tags.get(ROOT_TAG, "."),
        start=start_weights.of_job(job),
        experiment=experiment,
        kind=CURVE_KIND,
    )
    finished = part_runs.known(RunStore(settings), experiment)
    members = []
    for number in range(folds):
        part = fold(whole, number, folds)
        tags = {POINT_TAG: part_runs.key(pipeline, part, job.seed)}
        name = f"{pipeline.name}-fold-{number + 1}-of-{folds}"
        one = replace(batch, prepared=part, run_name=name, tags=tags)
        members.append(part_runs.run_of(one, finished, settings)[0])
    return _together(run, members, experiment, settings)


def _together(run: StoredRun, members: list[str], experiment: str, settings: Settings) -> str:
    store = RunStore(settings)
    key = sha256(json.dumps(members).encode()).hexdigest()
    known = part_runs.known(store, experiment).get(key)
    if known is not None and known.status == "FINISHED":
        return known.run_id
    parts = [
        tables.read(store.open(member).needed_predictions(HELD_OUT), split="train")
        for member in members
    ]
    with store.create(
        experiment=experiment,
        name=f"{run.name}-{FOLDS_KIND}",
        kind=FOLDS_KIND,
        seed=None,
        group=None,
        dataset=run.dataset,
        tags={POINT_TAG: key, MEMBERS_TAG: ",".join(members)},
    ) as writer:
        write_predictions(writer, {"train": _joined(parts)})
        writer.finish("FINISHED")
    return writer.run_id


def _joined(parts: list[Predictions]) -> Predictions:
    """Return the held-out parts as one table; what one of them lacks, none has."""
    whole = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("example_id", "target", "predicted", "error", "weight", "loss", "scores",
                     "source", "group", "media")
        if all(getattr(part, name) is not None for part in parts)
    }  # fmt: skip
    shared = set.intersection(*(set(part.metadata) for part in parts))
    metadata = {
        name: np.concatenate([part.metadata[name].astype(str) for part in parts])
        for name in sorted(shared)
    }
    return Predictions(
        split="train",
        classes=parts[0].classes,
        labels=parts[0].labels,
        metadata=metadata,
        **whole,
    )
