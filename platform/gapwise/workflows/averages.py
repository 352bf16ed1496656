"""What several runs say of one split, averaged and judged anew (notes 5.18)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gapwise.errors import DataError, shown
from gapwise.labels import Labels
from gapwise.records import Predictions
from gapwise.tasks.base import Judged, Task

COLUMNS = (
    *("example_id", "target", "predicted", "error", "weight"),
    *("loss", "scores", "source", "group", "media"),
)
SUM_TOLERANCE = 0.01
"""Scores may be rounded; logits and votes miss a sum of 1 by more."""


def averaged(members: Mapping[str, Predictions], task: Task) -> Predictions:
    """Return the average of several runs over the examples that all of them predicted.

    Probabilities are averaged, of numbers the predictions. What is predicted, the error and the
    loss follow from the average by the task: the loss is that of the mean probability, not the mean
    of losses. All else is the first run's.

    Args:
        members: run id → its predictions of one split.
        task: judges the average, and must judge every member as that was judged.

    Raises:
        DataError: the runs share no example, predict different things, have other labels for an
            example, no probabilities, or errors that were measured otherwise.
    """
    shared = on_shared(members)
    if task.labels.is_drawn:
        raise DataError(
            f"the runs predict {task.labels.told}, which have no scores that an average could be "
            "taken of; name runs that predict classes, labels or numbers"
        )
    (first_id, first), *others = shared.items()
    for other_id, other in others:
        _check_alike(first, other, f"runs {first_id} and {other_id}")
    targets = torch.from_numpy(np.asarray(first.target))
    for run_id, member in shared.items():
        _check_measure(run_id, member, task, targets)
    scores = loss = None
    if task.kind == "number":
        mean = np.mean([member.predicted for member in shared.values()], axis=0)
        predicted = torch.from_numpy(mean).to(targets.dtype)
        judged = Judged(predicted, task.error(predicted, targets), task.columns(predicted, targets))
    else:
        scores = _mean_scores(shared, task.labels)
        outputs = _outputs(scores, task.labels)
        judged, loss = task.judge(outputs, targets), task.loss(outputs, targets).double().numpy()
    columns = {name: column.numpy() for name, column in judged.columns.items()}
    return replace(
        first,
        predicted=judged.predicted.numpy(),
        error=judged.error.double().numpy(),
        loss=loss,
        scores=scores,
        metadata={**first.metadata, **columns},
    )


def on_shared(members: Mapping[str, Predictions]) -> dict[str, Predictions]:
    """Return every run's predictions of the examples that all predicted, in the first's order.

    Raises:
        DataError: there are none.
    """
    first, *others = members.values()
    known = set(first.example_id.tolist())
    known = known.intersection(*(member.example_id.tolist() for member in others))
    if not known:
        counts = " and ".join(str(len(member)) for member in members.values())
        raise DataError(
            f"the runs share 0 of {counts} {first.split} examples; name runs on the same data and "
            "split"
        )
    order = [name for name in first.example_id.tolist() if name in known]
    return {run_id: _taken(member, order) for run_id, member in members.items()}


def _taken(table: Predictions, order: Sequence[str]) -> Predictions:
    places = {name: place for place, name in enumerate(table.example_id.tolist())}
    rows = np.array([places[name] for name in order])
    known = {name: getattr(table, name) for name in COLUMNS}
    taken: dict[str, Any] = {k: None if v is None else v[rows] for k, v in known.items()}
    return replace(table, **taken, metadata={k: v[rows] for k, v in table.metadata.items()})


def _check_alike(first: Predictions, other: Predictions, who: str) -> None:
    if (first.classes, first.labels) != (other.classes, other.labels):
        raise DataError(
            f"{who} predict different things in {first.split}: {_told(first)}, and "
            f"{_told(other)}; name runs of one task on the same classes"
        )
    unlike = np.asarray(first.target != other.target)
    differing = np.flatnonzero(unlike.any(axis=1) if unlike.ndim == 2 else unlike)
    if len(differing):
        raise DataError(
            f"{who} disagree on the label of {len(differing)} of {len(first)} shared "
            f"{first.split} examples, {shown(first.example_id[differing[0]])} first; name runs "
            "under one label revision"
        )


def _check_measure(run_id: str, member: Predictions, task: Task, targets: torch.Tensor) -> None:
    predicted = torch.from_numpy(np.asarray(member.predicted)).to(targets.dtype)
    measured = task.error(predicted, targets).double().numpy()
    unlike = _unlike(measured, member)
    if len(unlike) and member.scores is not None:
        # A task may judge by more than what it predicts: then what it saw must be asked.
        outputs = _outputs(member.scores, task.labels)
        unlike = _unlike(task.judge(outputs, targets).error.double().numpy(), member)
    if len(unlike):
        row = unlike[0]
        raise DataError(
            f"run {run_id} measures errors differently: example {shown(member.example_id[row])} of "
            f"{member.split} has error {member.error[row]:g} there and {measured[row]:g} by the "
            "task of the first run; name runs of one task with the same options"
        )


def _unlike(measured: NDArray[np.float64], member: Predictions) -> NDArray[np.int64]:
    """Return the rows whose error was measured otherwise."""
    return np.flatnonzero(~np.isclose(measured, member.error, rtol=1e-4, atol=1e-6))


def _mean_scores(members: Mapping[str, Predictions], labels: Labels) -> NDArray[np.float32]:
    found = [_probabilities(run_id, member, labels) for run_id, member in members.items()]
    mean: NDArray[np.float32] = np.mean(found, axis=0)
    return mean


def _probabilities(run_id: str, member: Predictions, labels: Labels) -> NDArray[np.float32]:
    scores = member.scores
    if scores is None:
        raise DataError(
            f"run {run_id} has no scores in {member.split}, so there is nothing to average; record "
            "its predictions with a column `scores`"
        )
    totals = scores.sum(axis=1) if labels.kind == "class" else np.ones(len(scores))
    inside = (scores >= 0).all(axis=1) & (scores <= 1 + SUM_TOLERANCE).all(axis=1)
    wrong = np.flatnonzero(~inside | (np.abs(totals - 1) > SUM_TOLERANCE))
    if len(wrong):
        raise DataError(
            f"run {run_id} has scores in {member.split} that are no probabilities (row "
            f"{wrong[0] + 1}: {shown(scores[wrong[0]].tolist())}); record them after the softmax"
        )
    return scores


def _outputs(scores: NDArray[np.float32], labels: Labels) -> torch.Tensor:
    """Return outputs whose softmax, or sigmoid, are the scores."""
    probabilities = torch.from_numpy(scores).double()
    if labels.kind == "several" and scores.shape[1] == len(labels.names):
        return torch.logit(probabilities, eps=1e-12)
    return probabilities.clamp_min(1e-38).log()


def _told(table: Predictions) -> str:
    if not table.classes:
        return table.labels.told
    return f"{len(table.classes)} classes ({shown(', '.join(table.classes), 60)})"
