"""What stored predictions show of the data's own faults: labels that are disputed, and leaks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from gapwise.diagnostics.reading import classes_of, described, numbers
from gapwise.diagnostics.relabelled import in_table
from gapwise.records import ALSO_IN_TRAIN, Predictions
from gapwise.statistics.label_noise import Disputed, disputed

_RELABELLED: Final = ("example_id", "predicted", "error")

LOOKED_AT: Final = 100_000
MOST_SCORES: Final = 10_000_000
"""Rows of a split, and numbers in them, that are read: enough for a share, little to hold."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """Examples of a judging split that stand in train too.

    Attributes:
        n: examples that were looked at.
        equal: those whose very input is in train.
        nearly: those of which a picture that nearly equals them is.
        seen: mean error on these.
        unseen: mean error on the others; None where there are none.
    """

    n: int
    equal: int
    nearly: int
    seen: float
    unseen: float | None


@dataclass(frozen=True, kw_only=True)
class DataFaults:
    """By split: leaks, where there are any, and disputed labels, where they can be told."""

    leaks: Mapping[str, Leak]
    disputed: Mapping[str, Disputed]


def read_faults(paths: Mapping[str, Sequence[Path]], relabels: Mapping[str, str]) -> DataFaults:
    """Return the faults that the first run's prediction files show, those readable already.

    Labels that were reviewed, example → label in ``relabels``, count as they stand now.
    """
    leaks: dict[str, Leak | None] = {}
    labels: dict[str, Disputed | None] = {}
    for split, files in paths.items():
        with pq.ParquetFile(files[0]) as file:
            names = set(file.schema_arrow.names)
            if ALSO_IN_TRAIN in names:
                table = file.read([ALSO_IN_TRAIN, "error"])
                marks = np.array(table.column(ALSO_IN_TRAIN).cast(pa.string()).to_pylist(), np.str_)
                leaks[split] = _leak(marks, numbers(table, "error", np.nan))
            if {"scores", "target"} <= names and described(file.schema_arrow).kind == "class":
                labels[split] = _disputed(file, relabels)
    return _kept(leaks, labels)


def faults_in_memory(tables: Mapping[str, Predictions]) -> DataFaults:
    """Return the faults that one run's predictions show."""
    leaks: dict[str, Leak | None] = {}
    labels: dict[str, Disputed | None] = {}
    for split, table in tables.items():
        if ALSO_IN_TRAIN in table.metadata:
            leaks[split] = _leak(table.metadata[ALSO_IN_TRAIN], table.error)
        if table.scores is not None and table.target.dtype.kind == "i" and table.target.ndim == 1:
            rows = slice(_looked_at(table.scores.shape[1]))
            labels[split] = disputed(table.scores[rows], table.target[rows])
    return _kept(leaks, labels)


def _kept(leaks: Mapping[str, Leak | None], labels: Mapping[str, Disputed | None]) -> DataFaults:
    return DataFaults(
        leaks={split: leak for split, leak in leaks.items() if leak is not None},
        disputed={split: found for split, found in labels.items() if found is not None},
    )


def _leak(marks: NDArray[np.str_], error: NDArray[np.float64]) -> Leak | None:
    looked = marks != "unknown"
    seen = np.isin(marks, ("equal", "nearly"))
    if not seen.any():
        return None
    rest = error[looked & ~seen]
    return Leak(
        n=int(looked.sum()),
        equal=int((marks == "equal").sum()),
        nearly=int((marks == "nearly").sum()),
        seen=float(error[seen].mean()),
        unseen=float(rest.mean()) if len(rest) else None,
    )


def _looked_at(classes: int) -> int:
    return min(LOOKED_AT, MOST_SCORES // max(1, classes))


def _batches(file: pq.ParquetFile, relabels: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    """Give scores and targets as they stand under ``relabels``, some rows at a time."""
    columns = ["scores", "target", *(_RELABELLED if relabels else ())]
    for batch in file.iter_batches(1 << 14, columns=columns):
        if relabels:
            table = in_table(pa.Table.from_batches([batch]), relabels, classes_of(file))
            yield from table.combine_chunks().to_batches()
        else:
            yield batch


def _disputed(file: pq.ParquetFile, relabels: Mapping[str, str]) -> Disputed | None:
    """Return what the scores of the first rows say; None where they are no matrix."""
    scores, given, rows = [], [], 0
    for batch in _batches(file, relabels):
        lists, target = batch.column("scores"), batch.column("target")
        if lists.null_count or target.null_count or not pa.types.is_integer(target.type):
            return None
        flat = lists.flatten().cast(pa.float32())
        if not len(lists) or len(flat) % len(lists) or flat.null_count:
            return None
        scores.append(np.from_dlpack(flat).reshape(len(lists), -1))
        given.append(np.from_dlpack(target.cast(pa.int64())))
        rows += len(lists)
        if rows >= _looked_at(scores[-1].shape[1]):
            break
    if not rows or len({part.shape[1] for part in scores}) != 1:
        return None
    return disputed(np.concatenate(scores), np.concatenate(given))
