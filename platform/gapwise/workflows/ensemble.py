"""Average the stored predictions of several runs into a run of its own (notes 5.18)."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gapwise.errors import DataError, UsageError
from gapwise.labels import Labels, one_class
from gapwise.records import SPLITS, Predictions
from gapwise.settings import Settings
from gapwise.tasks.base import TASKS, Task
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import job_file
from gapwise.workflows.author import author
from gapwise.workflows.diagnose import HUMAN_TAG, group_of, stated_human
from gapwise.workflows.record import write_predictions
from gapwise.workflows.trained_run import open_trained

KEPT_TAGS = ("gapwise.same_distribution", "gapwise.notes", "gapwise.input_shape", "gapwise.splits")
"""What holds for the ensemble as it does for its members."""


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """An ensemble that was made.

    Attributes:
        run_id: its own run.
        errors: mean dev error of each member by run id, and of the ensemble, as fractions; empty
            where dev is not shared.
        splits: the examples averaged in each split.
    """

    run_id: str
    name: str
    errors: dict[str, float]
    splits: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``ensemble --json``."""
        members = {run: error for run, error in self.errors.items() if run != self.run_id}
        return {
            "run_id": self.run_id,
            "name": self.name,
            "dev_error": self.errors.get(self.run_id),
            "members": members,
            "splits": self.splits,
        }


def ensemble(
    refs: Sequence[str], *, name: str | None = None, settings: Settings | None = None
) -> Ensemble:
    """Average what the runs say of the examples that all of them predicted, split by split.

    Probabilities are averaged, of numbers the predictions themselves; error and loss are computed
    anew by the task. A single run that belongs to a group of seeds brings its whole group.

    Raises:
        UsageError: a run is unknown, or fewer than two are named.
        DataError: the runs predict different things, have no scores, or share no examples.
    """
    settings = settings or Settings.read()
    store = RunStore(settings)
    runs = _members(store, refs)
    name = name or f"{runs[0].experiment}-ensemble"
    task, labels = _task(runs, settings)
    averaged = {
        split: _averaged([_read(run, split) for run in runs], task, labels)
        for split in SPLITS
        if all(split in run.splits() for run in runs)
    }
    if not averaged:
        raise DataError(
            f"the {len(runs)} runs share no split with predictions; ensembles are made of runs on "
            "the same data"
        )
    first = runs[0]
    with store.create(
        experiment=first.experiment,
        name=name,
        kind="ensemble",
        seed=None,
        group=None,
        dataset=first.dataset,
        tags=_tags(first),
    ) as writer:
        writer.log_parameters({f"member.{i}": run.run_id for i, run in enumerate(runs, start=1)})
        media_root = tables.read_media_root(_path(first, next(iter(averaged))))
        write_predictions(writer, averaged, media_root)
        writer.finish("FINISHED")
    return Ensemble(
        run_id=writer.run_id,
        name=name,
        errors=_dev_errors(runs, averaged, writer.run_id),
        splits={split: len(table) for split, table in averaged.items()},
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


def _task(runs: Sequence[StoredRun], settings: Settings) -> tuple[Task, Labels]:
    """Return the task that judges the average: that of the first run trained here."""
    for run in runs:
        if run.folder is not None and (run.folder / job_file.NAME).is_file():
            model = open_trained(run.run_id, settings).model
            return model.task, model.spec.labels
    table = _read(runs[0], runs[0].splits()[0]) if runs[0].splits() else None
    if table is None or not table.classes:
        raise DataError(
            f"run {runs[0].run_id} ({runs[0].name}) has no classes with scores to average; record "
            "its predictions with them"
        )
    labels, task = one_class(table.classes), TASKS.get("classify")()
    task.use(labels, {})
    return task, labels


def _averaged(members: Sequence[Predictions], task: Task, labels: Labels) -> Predictions:
    """Return the average over the examples that every member predicted, in the first's order."""
    first, *others = _on_shared(members)
    for other in others:
        if (other.classes, other.labels) != (first.classes, first.labels):
            raise DataError(
                f"the runs predict different things in {first.split}: {_told(first)} and "
                f"{_told(other)}; name runs of one task"
            )
        if not np.array_equal(other.target, first.target):
            count = int(np.any(np.atleast_2d(other.target != first.target), axis=0).sum())
            raise DataError(
                f"the runs were judged by different labels of {count} examples in {first.split}; "
                "name runs of one label revision"
            )
    targets = torch.from_numpy(np.asarray(first.target))
    if labels.kind == "number":
        values = np.mean([member.predicted for member in (first, *others)], axis=0)
        predicted, scores, loss = torch.from_numpy(values).to(targets.dtype), None, None
    else:
        scores = _mean_scores([first, *others])
        outputs = _as_outputs(scores, labels)
        predicted, loss = task.predict(outputs), task.loss(outputs, targets).double().numpy()
    return replace(
        first,
        predicted=predicted.numpy(),
        error=task.error(predicted, targets).double().numpy(),
        loss=loss,
        scores=scores,
        metadata={**first.metadata, **_columns(task, predicted, targets)},
    )


def _on_shared(members: Sequence[Predictions]) -> list[Predictions]:
    shared = set(members[0].example_id.tolist()).intersection(
        *(member.example_id.tolist() for member in members[1:])
    )
    if not shared:
        raise DataError(
            f"the runs share no example of {members[0].split}; name runs on the same split"
        )
    order = [name for name in members[0].example_id.tolist() if name in shared]
    return [_taken(member, order) for member in members]


def _taken(table: Predictions, order: Sequence[str]) -> Predictions:
    places = {name: place for place, name in enumerate(table.example_id.tolist())}
    rows = np.array([places[name] for name in order])
    columns = ("example_id", "target", "predicted", "error", "weight")
    optional = ("loss", "scores", "source", "group", "media")
    taken: dict[str, Any] = {name: getattr(table, name)[rows] for name in columns}
    for name in optional:
        column = getattr(table, name)
        taken[name] = None if column is None else column[rows]
    return replace(table, **taken, metadata={k: v[rows] for k, v in table.metadata.items()})


def _mean_scores(members: Sequence[Predictions]) -> NDArray[np.float32]:
    scores = [member.scores for member in members]
    if any(one is None for one in scores):
        raise DataError(
            f"a run has no scores in {members[0].split}, so there is nothing to average; record "
            "its predictions with a column `scores`"
        )
    mean: NDArray[np.float32] = np.mean([one for one in scores if one is not None], axis=0)
    return mean


def _as_outputs(scores: NDArray[np.float32], labels: Labels) -> torch.Tensor:
    """Return outputs whose softmax, or sigmoid, are the scores."""
    probabilities = torch.from_numpy(scores).double()
    if labels.kind == "several" and scores.shape[1] == len(labels.names):
        return torch.logit(probabilities, eps=1e-12)
    return probabilities.clamp_min(1e-38).log()


def _columns(task: Task, predicted: torch.Tensor, targets: torch.Tensor) -> dict[str, NDArray[Any]]:
    return {name: column.numpy() for name, column in task.columns(predicted, targets).items()}


def _told(table: Predictions) -> str:
    return table.labels.told if table.labels.kind != "class" else f"{len(table.classes)} classes"


def _path(run: StoredRun, split: str) -> Path:
    return run.artifact(f"predictions/{split}.parquet")


def _read(run: StoredRun, split: str) -> Predictions:
    return tables.read(_path(run, split), split=split)


def _tags(first: StoredRun) -> dict[str, str]:
    kept = {name: first.tags[name] for name in KEPT_TAGS if name in first.tags}
    levels = [asdict(level) for level in stated_human(first)]
    return kept | {HUMAN_TAG: json.dumps(levels), "mlflow.user": author()}


def _dev_errors(
    runs: Sequence[StoredRun], averaged: dict[str, Predictions], run_id: str
) -> dict[str, float]:
    if "dev" not in averaged:
        return {}
    shared = averaged["dev"].example_id.tolist()
    judged = {run.run_id: _taken(_read(run, "dev"), shared) for run in runs}
    judged[run_id] = averaged["dev"]
    return {
        name: float(np.average(table.error, weights=table.weight)) for name, table in judged.items()
    }
