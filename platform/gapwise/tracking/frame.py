"""Rows of runs as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gapwise.tracking.rows import RunRow

LARGEST = 2**63

FIXED = (
    "run_id",
    "mlflow_id",
    "name",
    "experiment",
    "status",
    "started",
    "ended",
    "seed",
    "group",
    "dataset",
    "kind",
)


def frame(rows: Sequence[RunRow], *, parameters: bool = True) -> pd.DataFrame:
    """Return a table of runs: fixed columns, then ``metric.…``, then ``param.…``, by name."""
    columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in FIXED}
    columns["seed"] = pd.array(columns["seed"], dtype="Int64")
    for name in ("started", "ended"):
        columns[name] = pd.to_datetime(pd.array(columns[name], "Int64"), unit="ms", utc=True)
    columns |= _spread("metric", [row.metrics for row in rows])
    if parameters:
        columns |= _spread("param", [row.parameters for row in rows])
    return pd.DataFrame(columns)


def _spread(prefix: str, maps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = sorted({name for values in maps for name in values})
    return {f"{prefix}.{name}": _column([values.get(name) for values in maps]) for name in names}


def _column(values: list[Any]) -> Any:
    # Whole numbers stay whole beside a run that lacks the value; mixed kinds stay what they are.
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {float}:
        return np.array(values, dtype=np.float64)
    if kinds == {int} and all(abs(value or 0) < LARGEST for value in values):
        return pd.array(values, dtype="Int64")
    return pd.Series(values, dtype=object)
