"""What stands beside a ladder where the target is no single class.

Several labels have a ladder each, of the examples whose label is known; numbers have errors in
their own unit. The ladder above is of each example's one error (docs/tasks.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gapwise.diagnostics import ladder
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.reading import described, numbers, read_splits
from gapwise.labels import Labels
from gapwise.metrics.regression import regression

Paths = Mapping[str, Sequence[Path]]

SHOWN = ("ladder", "gaps", "verdict", "decided", "needs")


def beside(paths: Paths, evidence: Evidence, *, test: bool, delta: float) -> dict[str, Any]:
    """Return added fields of the document of ``diagnose --json``; none for classes.

    ``labels``: label → its own ladder, gaps and verdict. ``real_units``: ``name``, ``unit`` and,
    by split, mean absolute, median absolute and root mean squared error, R² and bias, averaged over
    the runs.

    Args:
        paths: split → the Parquet file of every run.
        evidence: the same runs; human levels speak of the one error, and of no single label.
        test: whether the test split is shown.
        delta: from where on a gap counts.
    """
    kept = {split: files for split, files in paths.items() if test or split != "test"}
    first = next((files[0] for files in kept.values()), None)
    labels = described(pq.read_schema(first)) if first is not None else None
    if labels is not None and labels.kind == "number":
        return {"real_units": _real_units(kept, labels)}
    if labels is None or labels.kind != "several":
        return {}
    found = {name: _of_label(kept, evidence, name, test, delta) for name in labels.names}
    return {"labels": {name: document for name, document in found.items() if document}}


def _of_label(
    paths: Paths, evidence: Evidence, name: str, test: bool, delta: float
) -> dict[str, Any] | None:
    column = f"error_{name}"
    if any(column not in pq.read_schema(file).names for files in paths.values() for file in files):
        return None
    splits, _ = read_splits(paths, column)
    if not splits:
        return None
    own = replace(evidence, splits=splits, human=(), notes=(), quarantined=0, looks=0)
    document = ladder.diagnose(own, test=test, delta=delta).as_json()
    return {key: document[key] for key in SHOWN if key in document}


def _real_units(paths: Paths, labels: Labels) -> dict[str, Any]:
    splits = {}
    for split, files in paths.items():
        runs = [run for run in map(_of_file, files) if run]
        if runs:
            splits[split] = {key: _mean([run[key] for run in runs]) for key in runs[0]}
            splits[split]["n"] = runs[0]["n"]
    return {"name": labels.names[0], "unit": labels.unit, "splits": splits}


def _of_file(path: Path) -> dict[str, Any] | None:
    present = pq.read_schema(path).names
    with pq.ParquetFile(path) as file:
        table: pa.Table = file.read([n for n in ("target", "predicted", "weight") if n in present])
    if not len(table):
        return None
    weight = numbers(table, "weight", 1.0) if "weight" in present else None
    found = regression(
        numbers(table, "target", np.nan), numbers(table, "predicted", np.nan), weight
    )
    return asdict(found)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
