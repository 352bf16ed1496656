"""An ensemble: the average of several runs as a run of its own (notes 5.18)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gapwise.errors import DataError, StorageError, UsageError
from gapwise.labels import one_class
from gapwise.pipeline_file import as_yaml
from gapwise.records import SPLITS, Predictions
from gapwise.settings import Settings
from gapwise.tasks.base import TASKS, Task
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import MEMBERS_TAG, StoredRun
from gapwise.tracking.writer import RunWriter
from gapwise.training.checkpoints import read_values
from gapwise.training.model import ModelSpec
from gapwise.training.predict import best_checkpoint
from gapwise.training.recipe import build
from gapwise.workflows import job_file
from gapwise.workflows.author import author
from gapwise.workflows.averages import averaged, on_shared
from gapwise.workflows.diagnose import group_of
from gapwise.workflows.record import distribution_tag, write_predictions

SHOWN_ID = 12

_KEPT_TAGS = ("gapwise.input_shape", "gapwise.quarantined", "gapwise.splits")
_OF_THE_FIRST = ("human", "diagnosis")
_APART = object()


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """An ensemble that was made.

    Attributes:
        run_id, name: its own run.
        members: the run ids of its members.
        errors: mean dev error of each member and of the ensemble by run id, as fractions of 1, on
            the same examples; empty where not all predicted dev.
        splits: how many examples of each split were averaged.
        left_out: how many examples of each split not every member predicted, where there are such.
    """

    run_id: str
    name: str
    members: tuple[str, ...]
    errors: Mapping[str, float]
    splits: Mapping[str, int]
    left_out: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``ensemble --json``."""
        return {
            "run_id": self.run_id,
            "name": self.name,
            "dev_error": self.errors.get(self.run_id),
            "members": {run_id: self.errors.get(run_id) for run_id in self.members},
            "splits": dict(self.splits),
            "left_out": dict(self.left_out),
        }


def ensemble(
    refs: Sequence[str], *, name: str | None = None, settings: Settings | None = None
) -> Ensemble:
    """Average what the runs say of the examples that all of them predicted, split by split.

    A single run that belongs to a group of seeds brings its whole group. The new run has the
    dataset of its members, so that their human levels hold for it, and as its pipeline all in which
    the members' pipelines agree.

    Raises:
        UsageError: a run is unknown, or fewer than two are named.
        DataError: the runs are of different datasets, share no split or no examples of one, or
            cannot be averaged (see ``averages.averaged``).
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    runs = _members(store, refs)
    name = name or f"{runs[0].experiment}-ensemble"
    stored = {split: _tables(runs, split) for split in _shared_splits(runs)}
    task = _task(runs, stored)
    made = {split: averaged(tables_of, task) for split, tables_of in stored.items()}
    left_out = _left_out(stored, made)
    with store.create(
        experiment=runs[0].experiment,
        name=name,
        kind="ensemble",
        seed=None,
        group=None,
        dataset=runs[0].dataset,
        tags=_tags(runs, left_out),
    ) as writer:
        _write(writer, runs, made)
        writer.finish("FINISHED")
    return Ensemble(
        run_id=writer.run_id,
        name=name,
        members=tuple(run.run_id for run in runs),
        errors=_dev_errors(stored, made, writer.run_id),
        splits={split: len(table) for split, table in made.items()},
        left_out=left_out,
    )


def _members(store: RunStore, refs: Sequence[str]) -> list[StoredRun]:
    found = {run.run_id: run for run in (store.open(ref) for ref in refs)}
    runs = list(found.values())
    if len(runs) == 1 and runs[0].group:
        runs = group_of(store, runs[0])
    if len(runs) < 2:
        raise UsageError(
            f"an ensemble is made of two runs or more, but {' '.join(refs)} names {len(runs)}; "
            "name more, or train several seeds: gapwise train PIPELINE --seeds 5"
        )
    datasets = sorted({run.dataset for run in runs})
    if len(datasets) > 1:
        raise DataError(
            f"the runs are of different datasets ({', '.join(datasets)}) and share no examples; "
            "name runs of one"
        )
    return runs


def _shared_splits(runs: Sequence[StoredRun]) -> list[str]:
    shared = [split for split in SPLITS if all(split in run.splits() for run in runs)]
    if shared:
        return shared
    for run in runs:
        if not run.splits():
            raise DataError(
                f"run {run.run_id} ({run.name}, {run.status}) has no predictions to average; "
                "finish it, or leave it out"
            )
    has = "; ".join(f"{run.run_id[:SHOWN_ID]} has {', '.join(run.splits())}" for run in runs)
    raise DataError(f"the {len(runs)} runs share no split ({has}); name runs on the same data")


def _tables(runs: Sequence[StoredRun], split: str) -> dict[str, Predictions]:
    return {run.run_id: tables.read(_path(run, split), split=split) for run in runs}


def _path(run: StoredRun, split: str) -> Path:
    return run.artifact(f"predictions/{split}.parquet")


def _task(runs: Sequence[StoredRun], stored: Mapping[str, Mapping[str, Predictions]]) -> Task:
    """Return the task that judges the average: a member's own, or where none is here, classify."""
    for run in runs:
        with suppress(StorageError):  # its network is not here any more, but its predictions are
            return _trained_task(run)
    classes = next(iter(next(iter(stored.values())).values())).classes
    if not classes:
        raise DataError(
            f"run {runs[0].run_id} ({runs[0].name}) has no classes with scores to average; record "
            "its predictions with them"
        )
    task = TASKS.get("classify")()
    task.use(one_class(classes), {})
    return task


def _trained_task(run: StoredRun) -> Task:
    """Return the task of a run's best network, which need not be built.

    Raises:
        StorageError: the run has no checkpoint here.
    """
    if run.folder is None:
        raise StorageError(f"run {run.run_id} has no folder here; name it where it was trained")
    place = best_checkpoint(Path(job_file.read_job(run.folder).folder))
    spec = ModelSpec.read(read_values(place)["model"])
    task: Task = build(TASKS, spec.task)
    task.use(spec.labels, spec.fitted)
    return task


def _left_out(
    stored: Mapping[str, Mapping[str, Predictions]], made: Mapping[str, Predictions]
) -> dict[str, int]:
    """Return how many examples of each split some, but not all, of the members predicted."""
    found = {
        split: len(set().union(*(member.example_id.tolist() for member in members.values())))
        - len(made[split])
        for split, members in stored.items()
    }
    return {split: count for split, count in found.items() if count}


def _tags(runs: Sequence[StoredRun], left_out: Mapping[str, int]) -> dict[str, str]:
    first = runs[0].tags
    same = all(run.tags.get("gapwise.same_distribution") == "true" for run in runs)
    notes = [first.get("gapwise.notes", "")]
    notes += [
        f"{count} examples of {split.replace('_', '-')} are left out of this ensemble, since not "
        "every member predicted them."
        for split, count in left_out.items()
    ]
    return {
        **{name: first[name] for name in _KEPT_TAGS if name in first},
        **distribution_tag(same),
        "gapwise.notes": "\n".join(filter(None, notes)),
        MEMBERS_TAG: ",".join(run.run_id for run in runs),
        "mlflow.source.name": " ".join(["gapwise ensemble", *(run.run_id for run in runs)]),
        "mlflow.user": author(),
    }


def _write(writer: RunWriter, runs: Sequence[StoredRun], made: Mapping[str, Predictions]) -> None:
    pipeline = shared_pipeline(runs)
    if pipeline:
        path = writer.folder / "pipeline.yaml"
        path.write_text(as_yaml(pipeline), encoding="utf-8")
        writer.log_file(path)
    members = {f"member.{place}": run.run_id for place, run in enumerate(runs, start=1)}
    writer.log_parameters({"members": len(runs), **members})
    media_root = tables.read_media_root(_path(runs[0], next(iter(made))))
    write_predictions(writer, made, media_root)


def shared_pipeline(runs: Sequence[StoredRun]) -> dict[str, Any]:
    """Return in what the pipelines of the members agree, and who the members are.

    Human levels and limits of the diagnosis are those of the first. Empty where no member states a
    pipeline.
    """
    known = [pipeline for run in runs if (pipeline := run.pipeline())]
    if not known:
        return {}
    kept = {key: known[0][key] for key in _OF_THE_FIRST if key in known[0]}
    members = [run.run_id[:SHOWN_ID] for run in runs]
    return {**_shared_keys(known), **kept, "ensemble": {"members": members}}


def _shared_keys(mappings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    keys = [key for key in mappings[0] if all(key in mapping for mapping in mappings)]
    shared = {key: _shared([mapping[key] for mapping in mappings]) for key in keys}
    return {key: value for key, value in shared.items() if value is not _APART}


def _shared(values: Sequence[Any]) -> Any:
    """Return what equal values are, or sections share; parts of two names share nothing."""
    if all(value == values[0] for value in values):
        return values[0]
    sections = all(isinstance(value, Mapping) for value in values)
    if not sections or len({value.get("name") for value in values}) > 1:
        return _APART
    return _shared_keys(values)


def _dev_errors(
    stored: Mapping[str, Mapping[str, Predictions]], made: Mapping[str, Predictions], run_id: str
) -> dict[str, float]:
    if "dev" not in made:
        return {}
    judged = {**on_shared(stored["dev"]), run_id: made["dev"]}
    return {
        name: float(np.average(table.error, weights=table.weight)) for name, table in judged.items()
    }
