"""The errors of one table part by part, and which of its examples are worst."""

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.errors_by_split import Columns, SplitErrors, summarise
from gapwise.records import Predictions


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
