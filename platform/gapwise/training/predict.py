"""Predictions of a split from one checkpoint, in evaluation mode."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapwise.data.prepared import Prepared
from gapwise.errors import StorageError, UsageError
from gapwise.forms.base import form_of
from gapwise.networks.pretrained import differences
from gapwise.records import Job, NumericPlan, Predictions
from gapwise.tasks.base import Task
from gapwise.training.checkpoints import CheckpointStore, Saved, read_checkpoint, read_values
from gapwise.training.crops import Crops, outputs_of_crops, read_crops
from gapwise.training.feeds import StreamFeed
from gapwise.training.learner import evaluating, evaluation_batch, ready
from gapwise.training.model import Model, ModelSpec
from gapwise.training.named_tensors import under_prefix
from gapwise.training.numerics import autocast, under
from gapwise.training.order import cut


def predict(place: Path, job: Job, prepared: Prepared, split: str) -> Predictions:
    """Return what the network of a checkpoint says of every example of ``split``.

    Args:
        place: the JSON of a checkpoint, or a folder of checkpoints, of which the best is taken.
        job: its numeric plan is used, and as many crops of each picture as its pipeline says.
        prepared: the data.
        split: one of the four splits; may be empty.

    Raises:
        StorageError: there is no checkpoint, or it is damaged.
        UsageError: the data's classes or shapes are not those that the network was trained on.
    """
    saved = read_checkpoint(best_checkpoint(place) if place.is_dir() else place)
    positions = prepared.indices(split)
    with under(job.plan) as device:
        model = ready(_model(saved), job.plan)
        _check_fits(model, prepared, saved.path)
        crops = read_crops(job.pipeline, prepared.input_shape, is_drawn=prepared.labels.is_drawn)
        said = _judged(model, prepared, positions, job.plan, device, crops)
    own = {name: said.pop(name) for name in ("target", "predicted", "error", "loss")}
    scores = said.pop("scores", None)
    return Predictions(
        split=split,
        example_id=prepared.ids[positions],
        **own,
        weight=_at(prepared.weights, positions, default=1.0),
        classes=prepared.classes,
        scores=scores,
        labels=prepared.labels,
        source=prepared.sources[positions],
        group=None if prepared.groups is None else prepared.groups[positions],
        media=None if prepared.media is None else prepared.media[positions],
        metadata={k: v[positions] for k, v in prepared.metadata.items()} | said,
    )


def load_network(place: Path) -> Model:
    """Return the model of a checkpoint on the CPU in evaluation mode, for new inputs or export.

    It takes raw inputs, as the dataset gave them, and normalises them itself; ``.task`` reads its
    outputs and ``.spec`` names its classes.

    Raises:
        StorageError: there is no checkpoint, or it is damaged.
    """
    return _model(read_checkpoint(best_checkpoint(place) if place.is_dir() else place)).eval()


def best_checkpoint(folder: Path) -> Path:
    """Return the best checkpoint that the newest whole one in ``folder`` names.

    Raises:
        StorageError: there is none yet.
    """
    store = CheckpointStore(folder)
    for path in store.newest_first():
        best = _best_named_by(path)
        if best is not None:
            return store.path(best)
    raise StorageError(f"{folder} holds no checkpoint of a whole epoch; resume the run first")


def _best_named_by(path: Path) -> int | None:
    try:
        best: int | None = read_values(path)["best"]
    except StorageError:
        return None
    return best


def _model(saved: Saved) -> Model:
    model = Model(ModelSpec.read(saved.values["model"]))
    weights = dict(under_prefix(saved.tensors, "model."))
    if told := differences(model.state_dict(), weights):
        raise StorageError(
            f"checkpoint {saved.path} holds weights that its network does not have, or lacks some: "
            f"{told}; another version of Gapwise wrote it: train again"
        )
    model.load_state_dict(weights)
    return model


def _check_fits(model: Model, prepared: Prepared, path: Path) -> None:
    trained = (model.spec.input_shape, model.spec.labels)
    if trained != (prepared.input_shape, prepared.labels):
        raise UsageError(
            f"checkpoint {path} was trained on inputs {trained[0]} and {trained[1].told}, but "
            f"{prepared.name} has {prepared.input_shape} and {prepared.labels.told}, or other "
            "names of classes; predict with the data of its run"
        )


def _judged(
    model: Model,
    prepared: Prepared,
    positions: NDArray[np.int64],
    plan: NumericPlan,
    device: torch.device,
    crops: Crops,
) -> dict[str, NDArray[Any]]:
    """Return ``target``, ``predicted``, ``error``, ``loss``, ``scores`` and the task's columns.

    Batch by batch: a map of outputs for every example at once may not fit into memory. A task that
    compares examples gets them all.
    """
    found: dict[str, list[NDArray[Any]]] = {}
    whole: list[tuple[Tensor, Tensor]] = []
    # One split is read once: no need to hold all examples in memory. An empty one is a batch too.
    batches = cut(positions, evaluation_batch(model)) or [positions]
    with evaluating(model):
        for batch in StreamFeed(prepared, device).batches(batches):
            with autocast(plan):
                outputs = outputs_of_crops(model, batch.inputs, crops).cpu()
            if model.task.compares:
                whole.append((outputs, batch.targets.cpu()))
            else:
                _note(found, _said(model.task, outputs, batch.targets.cpu()))
        if whole:
            outputs, targets = (torch.cat(parts) for parts in zip(*whole, strict=True))
            _note(found, _said(model.task, outputs, targets))
    return {name: np.concatenate(values) for name, values in found.items()}


def _note(found: dict[str, list[NDArray[Any]]], said: dict[str, NDArray[Any]]) -> None:
    for name, values in said.items():
        found.setdefault(name, []).append(values)


def _said(task: Task, outputs: Tensor, targets: Tensor) -> dict[str, NDArray[Any]]:
    """Return what is said of a batch; what is drawn is JSON, as in the predictions table."""
    predicted, error, columns = task.judge(outputs, targets)
    scores = task.scores(outputs)
    forms = {"target": targets.numpy(), "predicted": predicted.numpy()}
    if task.labels.is_drawn:
        form = form_of(task.labels)
        forms = {name: form.text(task.labels, values) for name, values in forms.items()}
    judged = {
        "error": error.double(),
        "loss": task.loss(outputs, targets).double(),
        **columns,
        **({} if scores is None else {"scores": scores}),
    }
    return forms | {name: values.numpy() for name, values in judged.items()}


def _at(
    column: NDArray[np.float64] | None, positions: NDArray[np.int64], default: float
) -> NDArray[np.float64]:
    return np.full(len(positions), default) if column is None else column[positions]
