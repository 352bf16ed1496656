"""A run of somebody's own training loop: metrics and predictions in, every diagnosis out."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import ArrayLike

from gapwise.errors import UsageError, shown
from gapwise.ledger import human as human_levels
from gapwise.ledger.ledger import Ledger
from gapwise.records import HumanLevel
from gapwise.settings import Settings
from gapwise.tracking.checked import checked
from gapwise.tracking.store import RunStore
from gapwise.tracking.versions import code_versions
from gapwise.workflows.author import author
from gapwise.workflows.foreign_labels import class_names
from gapwise.workflows.own_arrays import OwnArrays, own_predictions
from gapwise.workflows.record import checked_name, distribution_tag, write_predictions
from gapwise.workflows.split_names import split_named


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

    Raises:
        UsageError: a human level, a class or a name is none.
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
        self._dataset = checked_name(dataset, "dataset")
        self._human = _levels(human)
        self._classes = class_names(classes)
        self._parameters = dict(parameters or {})
        self._writer = RunStore(self._settings).create(
            experiment=checked_name(experiment, "experiment"),
            name=name,
            kind="own-loop",
            seed=seed,
            group=None,
            dataset=dataset,
            tags=distribution_tag(same_distribution),
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
            split: train, train_dev (or train-dev), dev or test.
            ids: (n,) example ids.
            target: (n,) class positions, or class names: with ``classes``, or without scores; with
                ``error`` and without scores and ``classes``, any values.
            scores: (n, k) class scores, in the order of ``classes``.
            predicted: (n,) as ``target``; by default the class with the highest score.
            error: (n,) errors in [0, 1]; by default 1 where ``predicted`` is not ``target``.
            columns: ``source``, ``group``, ``weight``, ``loss``, ``media``, or metadata, (n,) each.

        Raises:
            DataError: lengths differ, an id stands twice, or a value is none that can be.
        """
        split = split_named(str(split))
        given = {"target": target, "predicted": predicted, "error": error, **columns}
        arrays = OwnArrays(split, ids, scores, given)
        table = own_predictions(arrays, self._classes)
        write_predictions(self._writer, {split: checked(table, f"predictions of {split}")})

    def __enter__(self) -> Self:
        self._writer.__enter__()
        self._writer.log_parameters(self._parameters)
        self._writer.log_tags(code_versions(Path.cwd()) | {"mlflow.user": author()})
        if self._human:
            ledger = Ledger(self._settings.ledger_url)
            human_levels.state(ledger, self._dataset, self._human, author=author())
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
    if isinstance(human, Real):
        human = HumanLevel(error=float(human))
    if isinstance(human, HumanLevel):
        human = (human,)
    if isinstance(human, str) or not isinstance(human, Iterable):
        raise UsageError(
            f"human {shown(human)!r} is no error, HumanLevel or list of them; write 0.05 for 5 %"
        )
    return tuple(human_levels.valid(level) for level in human)
