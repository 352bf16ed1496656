"""Where the errors of one split stand: by class, by source, by example."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics import parts
from gapwise.diagnostics.errors_by_split import SplitErrors, from_predictions
from gapwise.figures.intervals import Estimate
from gapwise.forms.words import as_text
from gapwise.metrics.classification import ClassReport, confusion_matrix
from gapwise.metrics.classification import by_class as reports_by_class
from gapwise.records import Predictions


@dataclass(frozen=True, kw_only=True)
class Example:
    """One example as pages show it."""

    example_id: str
    target: str
    predicted: str
    source: str
    error: float
    loss: float | None
    sure: float | None


def overall(table: Predictions) -> Estimate:
    """Return the error of the whole split."""
    return _estimate(table.split, from_predictions(table))


def by_source(table: Predictions) -> list[Estimate]:
    """Return the error of each source, the worst first; empty where there is one source alone."""
    parts = from_predictions(table).by_source
    found = [_estimate(name, part) for name, part in parts.items()]
    return _worst_first(found) if len(found) > 1 else []


def by_class(table: Predictions) -> list[Estimate]:
    """Return the error of each true class that occurs, the worst first."""
    return _worst_first([_estimate(name, part) for name, part in parts.by_class(table).items()])


def quality(table: Predictions) -> tuple[ClassReport, ...]:
    """Return precision, recall and F1 of each class, the lowest F1 first, the undefined last."""
    counts = confusion(table)
    if counts is None:
        return ()
    reports = reports_by_class(counts.astype(float), table.classes)
    return tuple(sorted(reports, key=lambda one: (one.f1 is None, one.f1)))


def confusion(table: Predictions) -> NDArray[Any] | None:
    """Return (k, k) numbers of examples, rows the label; None where there are no classes."""
    if not table.classes:
        return None
    target, predicted = table.target.astype(np.int64), table.predicted.astype(np.int64)
    return confusion_matrix(target, predicted, len(table.classes)).astype(np.int64)


def worst(table: Predictions, limit: int) -> list[Example]:
    """Return the wrong examples, the one with the greatest error first, then the greatest loss."""
    return [example(table, int(row)) for row in parts.worst_rows(table, limit)]


def as_rows(
    table: Predictions, examples: Sequence[Example], inputs: Mapping[str, Sequence[float]]
) -> dict[str, Sequence[Any]]:
    """Return columns for a table: what is known of each example, and what the network was given.

    Args:
        table: the split.
        examples: rows of it.
        inputs: feature → its number for each example; empty where the inputs are not at hand.
    """
    columns: dict[str, Sequence[Any]] = {
        "example": [one.example_id for one in examples],
        "label": [one.target for one in examples],
        "predicted": [one.predicted for one in examples],
        "error, %": [round(100 * one.error, 1) for one in examples],
    }
    places = {str(name): row for row, name in enumerate(table.example_id)}
    rows = [places[one.example_id] for one in examples]
    known = {name: values[rows].tolist() for name, values in table.metadata.items()}
    # A feature and a metadata column may share a name; they say the same.
    return columns | known | categories_whole(inputs)


def categories_whole(inputs: Mapping[str, Sequence[float]]) -> dict[str, Sequence[Any]]:
    """Return features with the columns ``kind=a``, ``kind=b`` … of a category as one, ``kind``."""
    whole: dict[str, Sequence[Any]] = {}
    for name, values in inputs.items():
        column, equals, category = name.partition("=")
        if not equals:
            whole[name] = values
            continue
        before = whole.get(column, [""] * len(values))
        whole[column] = [category if v else b for v, b in zip(values, before, strict=True)]
    return whole


def named(table: Predictions, ids: list[str]) -> list[Example]:
    """Return the examples called ``ids``, in that order."""
    rows = {str(name): row for row, name in enumerate(table.example_id)}
    return [example(table, rows[name]) for name in ids if name in rows]


def example(table: Predictions, row: int) -> Example:
    """Return one row of a split as pages show it."""
    code = table.predicted[row]
    scores = None if table.scores is None else table.scores[row]
    chance = scores is not None and bool((scores >= 0).all()) and float(scores.sum()) < 1.01
    return Example(
        example_id=str(table.example_id[row]),
        target=_name(table, table.target[row]),
        predicted=_name(table, code),
        source="" if table.source is None else str(table.source[row]),
        error=float(table.error[row]),
        loss=None if table.loss is None else float(table.loss[row]),
        sure=float(scores[int(code)]) if scores is not None and chance and table.classes else None,
    )


def _name(table: Predictions, value: Any) -> str:
    if table.labels.kind != "class":
        return as_text(table.labels, value)
    return table.classes[int(value)] if table.classes else str(value)


def _estimate(label: str, part: SplitErrors) -> Estimate:
    interval = part.interval
    low, high = (interval.low, interval.high) if interval else (None, None)
    return Estimate(label=label, error=part.rate, low=low, high=high, n=part.n)


def _worst_first(found: list[Estimate]) -> list[Estimate]:
    return sorted(found, key=lambda estimate: (-estimate.error, estimate.label))
