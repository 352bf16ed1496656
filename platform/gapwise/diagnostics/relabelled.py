"""Stored predictions under other labels: errors told again without running a network (notes 4.11).

Only examples whose label differs are touched; whatever else a table says stays as it is.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from gapwise.records import Predictions

Labels = Mapping[str, str]
"""Example → the class that it is, for some examples."""

_LEAST = np.finfo(np.float32).tiny


def relabelled(table: Predictions, labels: Labels) -> Predictions:
    """Return predictions as they stand under ``labels``; those of no classes stay as they are.

    A class that the network never met joins the classes at their end, with scores of 0: whatever it
    said of such an example is wrong.
    """
    if not (labels and table.classes and table.labels.kind == "class" and table.target.ndim == 1):
        return table
    rows = np.flatnonzero(np.isin(table.example_id, np.array(list(labels), np.str_)))
    told = [labels[str(name)] for name in table.example_id[rows]]
    places = {name: place for place, name in enumerate(table.classes)}
    for name in told:
        places.setdefault(name, len(places))
    new = np.array([places[name] for name in told], np.int64)
    moved = new != table.target[rows]
    if not moved.any():
        return table
    rows, new = rows[moved], new[moved]
    target, error = table.target.copy(), table.error.copy()
    target[rows], error[rows] = new, table.predicted[rows] != new
    scores = _widened(table.scores, len(places))
    return replace(
        table,
        target=target,
        error=error,
        classes=tuple(places),
        scores=scores,
        loss=_losses(table.loss, scores, rows, new),
    )


def in_table(table: pa.Table, labels: Labels, classes: tuple[str, ...]) -> pa.Table:
    """Return a table of ``example_id``, ``target``, ``predicted`` and ``error`` under ``labels``.

    Args:
        table: integer targets that are positions in ``classes``; others stay as they are.
        labels: example → class.
        classes: the table's classes. A label that is none of them makes an error and leaves the
            target.
    """
    if not (labels and classes and pa.types.is_integer(table.schema.field("target").type)):
        return table
    places = {name: place for place, name in enumerate(classes)}
    wanted = pa.array(list(labels), pa.string())
    new_places = np.array([places.get(name, -1) for name in labels.values()], np.int64)
    ids = table.column("example_id")
    found = pc.index_in(ids.cast(pa.string()), value_set=wanted)
    rows = np.asarray(pc.indices_nonzero(pc.is_valid(found)))
    if not len(rows):
        return table
    new = new_places[np.asarray(pc.drop_null(found))]
    columns = {name: _numpy(table, name) for name in ("target", "predicted", "error")}
    moved = new != columns["target"][rows]
    rows, new = rows[moved], new[moved]
    columns["error"][rows] = columns["predicted"][rows] != new
    columns["target"][rows] = np.where(new < 0, columns["target"][rows], new)
    for name in ("target", "error"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), pa.array(columns[name]))
    return table


def _numpy(table: pa.Table, name: str) -> NDArray[np.generic]:
    return np.array(table.column(name).to_numpy(zero_copy_only=False))


def _widened(scores: NDArray[np.float32] | None, classes: int) -> NDArray[np.float32] | None:
    if scores is None or scores.shape[1] >= classes:
        return scores
    more = np.zeros((len(scores), classes - scores.shape[1]), scores.dtype)
    return np.concatenate([scores, more], axis=1)


def _losses(
    loss: NDArray[np.float64] | None,
    scores: NDArray[np.float32] | None,
    rows: NDArray[np.int64],
    target: NDArray[np.int64],
) -> NDArray[np.float64] | None:
    """Return losses with those of ``rows`` as −log of the label's score; unknown without scores."""
    if loss is None:
        return None
    changed = loss.copy()
    changed[rows] = np.nan if scores is None else -np.log(np.maximum(scores[rows, target], _LEAST))
    return changed
