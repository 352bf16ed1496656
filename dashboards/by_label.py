"""Several labels as one table each, so that whatever shows one class shows each of them."""

from dataclasses import replace

import numpy as np

from gapwise.labels import CLASSES, UNKNOWN
from gapwise.records import Predictions


def parts(table: Predictions) -> dict[str, Predictions]:
    """Return label → the predictions of it alone, of the examples where it is known.

    A label that is known nowhere in this split is left out.
    """
    found = {}
    columns = zip(table.labels.names, table.labels.classes, strict=True)
    for column, (name, classes) in enumerate(columns):
        rows = np.flatnonzero(table.target[:, column] != UNKNOWN)
        if len(rows):
            found[name] = _part(table, column, classes, rows)
    return found


def _part(
    table: Predictions, column: int, classes: tuple[str, ...], rows: np.ndarray
) -> Predictions:
    target, predicted = table.target[rows, column], table.predicted[rows, column]
    return replace(
        table,
        example_id=table.example_id[rows],
        target=target,
        predicted=predicted,
        error=(target != predicted).astype(np.float64),
        weight=table.weight[rows],
        classes=classes,
        labels=CLASSES,
        loss=None,
        scores=None,
        source=None if table.source is None else table.source[rows],
        group=None if table.group is None else table.group[rows],
        media=None,
        metadata={},
    )
