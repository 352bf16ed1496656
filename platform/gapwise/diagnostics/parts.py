"""Parts of a table of predictions: some rows, the errors by class, the worst examples."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.errors_by_split import Columns, SplitErrors, summarise
from gapwise.records import Predictions

_COLUMNS = (
    *("example_id", "target", "predicted", "error", "weight"),
    *("loss", "scores", "source", "group", "media"),
)


def taken(table: Predictions, rows: NDArray[np.generic]) -> Predictions:
    """Return the predictions of some rows, named by position or by a mask (n,)."""
    held = {name: getattr(table, name) for name in _COLUMNS}
    found: dict[str, Any] = {k: None if v is None else v[rows] for k, v in held.items()}
    return replace(table, metadata={k: v[rows] for k, v in table.metadata.items()}, **found)


def labels_digest(table: Predictions) -> str:
    """Return 12 digits that two tables share when they hold the same examples and labels."""
    order = np.argsort(table.example_id)
    target = table.target[order]
    if table.classes and target.ndim == 1 and target.dtype.kind in "iu":
        target = np.array(table.classes)[target]
    digest = sha256()
    for part in (table.example_id[order], target):
        digest.update(np.char.encode(part.astype(str), "utf-8").tobytes())
    return digest.hexdigest()[:12]


def by_class(table: Predictions) -> dict[str, SplitErrors]:
    """Return the errors of each true class that occurs; {} where there are no classes."""
    if not table.classes:
        return {}
    columns = Columns(
        where=table.split,
        error=table.error,
        weight=table.weight,
        group=table.group,
        source=(list(table.classes), table.target.astype(np.int64)),
    )
    return dict(summarise(columns).by_source)


def worst_rows(table: Predictions, limit: int) -> NDArray[np.int64]:
    """Return the rows with an error, the greatest error first, then the greatest loss."""
    wrong = np.flatnonzero(table.error > 0)
    loss = np.zeros(len(wrong)) if table.loss is None else table.loss[wrong]
    order = np.lexsort((-np.nan_to_num(loss, nan=np.inf), -table.error[wrong]))
    return wrong[order[:limit]]
