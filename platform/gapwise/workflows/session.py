"""A run of somebody's own training loop: metrics and predictions in, every diagnosis out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapwise.errors import DataError, UsageError, did_you_mean
from gapwise.ledger import human as human_levels
from gapwise.ledger.ledger import Ledger
from gapwise.records import SPLITS, HumanLevel, Predictions
from gapwise.settings import Settings
from gapwise.tracking.checked import checked
from gapwise.tracking.store import RunStore
from gapwise.tracking.versions import code_versions
from gapwise.workflows.author import author
from gapwise.workflows.record import write_predictions


class Session:
    """One run under your own loop; made by ``gapwise.run``.

    Args:
        experiment: the MLflow experiment to file it under.
        dataset: the dataset's name.
        human: human error as a fraction, a ``HumanLevel``, or several of them.
        name: the run's name.
        seed: the seed it was trained with.
        classes: class names in the order of the scores.
        parameters: hyperparameters, to be kept with the run.
        same_distribution: train and dev come from one distribution.
    """

    def __init__(  # noqa: PLR0913 - what a run may state of itself
        self,
        experiment: str,
        *,
        dataset: str,
        human: float | HumanLevel | Sequence[HumanLevel] = (),
        name: str | None = None,
        seed: int | None = None,
        classes: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        same_distribution: bool = False,
    ) -> None:
        self._settings = Settings.read()
        self._dataset = dataset
        self._human = _levels(human)
        self._classes = tuple(map(str, classes))
        self._parameters = dict(parameters or {})
        self._writer = RunStore(self._settings).create(
            experiment=experiment,
            name=name,
            kind="own-loop",
            seed=seed,
            group=None,
            dataset=dataset,
            tags={"gapwise.same_distribution": str(same_distribution).lower()},
        )

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._writer.run_id

    def metric(self, name: str, value: float, step: int) -> None:
        """Keep one point of a curve."""
        self._writer.log_metric(name, float(value), step)

    def predictions(
        self,
        split: str,
        ids: ArrayLike,
        target: ArrayLike,
        scores: ArrayLike | None = None,
        *,
        predicted: ArrayLike | None = None,
        error: ArrayLike | None = None,
        **columns: ArrayLike,
    ) -> None:
        """Keep the predictions of one split.

        Args:
            split: train, train_dev, dev or test.
            ids: (n,) example ids.
            target: (n,) class positions, or class names where ``classes`` was given.
            scores: (n, k) class scores, in the order of ``classes``.
            predicted: (n,) as ``target``; by default the class with the highest score.
            error: (n,) errors in [0, 1]; by default 1 where ``predicted`` is not ``target``.
            columns: ``source``, ``group``, ``weight``, ``loss``, ``media``, or metadata, (n,) each.

        Raises:
            DataError: lengths differ, an id stands twice, or a value is none that can be.
        """
        if split not in SPLITS:
            raise UsageError(f"split {split!r} is not known; {did_you_mean(split, SPLITS)}")
        table = _table(split, ids, target, scores, predicted, error, self._classes, columns)
        write_predictions(self._writer, {split: checked(table, f"predictions of {split}")})

    def __enter__(self) -> Self:
        self._writer.__enter__()
        self._writer.log_parameters(self._parameters)
        self._writer.log_tags(code_versions(Path.cwd()) | {"mlflow.user": author()})
        ledger = Ledger(self._settings.ledger_url)
        for level in self._human:
            human_levels.state(ledger, self._dataset, level, author=author())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._writer.finish("FINISHED")
        self._writer.__exit__(kind, error, trace)


def _levels(human: float | HumanLevel | Sequence[HumanLevel]) -> tuple[HumanLevel, ...]:
    if isinstance(human, HumanLevel):
        return (human,)
    if isinstance(human, int | float):
        return (HumanLevel(error=float(human)),)
    return tuple(human)


def _table(  # noqa: PLR0913 - the columns of a predictions table, each given or not
    split: str,
    ids: ArrayLike,
    target: ArrayLike,
    scores: ArrayLike | None,
    predicted: ArrayLike | None,
    error: ArrayLike | None,
    classes: tuple[str, ...],
    columns: Mapping[str, ArrayLike],
) -> Predictions:
    targets = _positions(target, classes)
    score_table = None if scores is None else np.asarray(scores, dtype=np.float32)
    if predicted is None and score_table is not None:
        predicted = score_table.argmax(axis=1)
    if predicted is None and error is None:
        raise DataError(f"predictions of {split}: give scores, predicted or error; all are missing")
    guesses = targets if predicted is None else _positions(predicted, classes)
    own = {name: np.asarray(value) for name, value in columns.items()}
    if not classes and score_table is not None:
        classes = tuple(str(i) for i in range(score_table.shape[1]))
    return Predictions(
        split=split,
        example_id=np.asarray(ids).astype(np.str_),
        target=targets,
        predicted=guesses,
        error=np.asarray(targets != guesses if error is None else error, dtype=np.float64),
        weight=np.asarray(own.pop("weight", np.ones(len(targets))), dtype=np.float64),
        loss=None if "loss" not in own else own.pop("loss").astype(np.float64),
        source=_text(own, "source"),
        group=_text(own, "group"),
        media=_text(own, "media"),
        classes=classes,
        scores=score_table,
        metadata=own,
    )


def _positions(labels: ArrayLike, classes: tuple[str, ...]) -> NDArray[Any]:
    values = np.asarray(labels)
    if values.dtype.kind in "iu" or not classes:
        return values.astype(np.int64) if values.dtype.kind in "iub" else values.astype(np.str_)
    index = {name: position for position, name in enumerate(classes)}
    unknown = [str(v) for v in values.astype(np.str_) if str(v) not in index]
    if unknown:
        raise DataError(f"label {unknown[0]!r} is no class; {did_you_mean(unknown[0], classes)}")
    return np.array([index[str(v)] for v in values], dtype=np.int64)


def _text(columns: dict[str, NDArray[Any]], name: str) -> NDArray[np.str_] | None:
    return columns.pop(name).astype(np.str_) if name in columns else None
