"""From Parquet to evidence: only the columns that a ladder needs are read."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from gapwise.diagnostics.errors_by_split import MOST_CLASSES, Columns, SplitErrors, summarise
from gapwise.diagnostics.relabelled import in_table
from gapwise.errors import DataError, shown
from gapwise.labels import CLASSES, Labels

CLASSES_KEY = b"gapwise.classes"
LABELS_KEY = b"gapwise.labels"
_WANTED = ("weight", "group", "source", "target")


def read_splits(
    paths: Mapping[str, Sequence[Path]],
    error: str = "error",
    relabels: Mapping[str, str] | None = None,
) -> tuple[dict[str, tuple[SplitErrors, ...]], tuple[str, ...]]:
    """Return ``Evidence.splits`` and the class names from prediction files.

    Args:
        paths: split → the Parquet file of every run. A split with an empty file is left out.
        error: the column of errors; of another one than ``error``, empty cells are left out.
        relabels: example → its label now, for those that were reviewed.

    Raises:
        DataError: a file cannot be read, lacks the column ``error``, or holds wrong numbers.
    """
    splits: dict[str, tuple[SplitErrors, ...]] = {}
    classes: tuple[str, ...] = ()
    for split, files in paths.items():
        tables = [_table(Path(file), error, len(files) > 1, relabels or {}) for file in files]
        if not all(len(table) for table in tables):
            continue
        classes = classes or classes_of(tables[0])
        keys = _example_keys(tables)
        splits[split] = tuple(
            summarise(_columns(table, str(file), key))
            for table, file, key in zip(tables, files, keys, strict=True)
        )
    return splits, classes


def summarised(table: pa.Table, where: str) -> SplitErrors:
    """Return the sums of a table of one run that is in memory; ``where`` names it in messages.

    Raises:
        DataError: as ``summarise``.
    """
    return summarise(_columns(table, where, None))


def described(schema: pa.Schema) -> Labels:
    """Return what the targets of a table with this schema are."""
    stated = (schema.metadata or {}).get(LABELS_KEY)
    if stated is not None:
        return Labels.read(json.loads(stated))
    if "target" in schema.names and pa.types.is_floating(schema.field("target").type):
        return Labels(kind="number", names=("target",))
    return CLASSES


def _table(path: Path, error: str, keep_examples: bool, relabels: Mapping[str, str]) -> pa.Table:
    wanted = [error, *_WANTED]
    if keep_examples or relabels:
        wanted.append("example_id")
    if relabels:
        wanted.append("predicted")
    try:
        coded = [n for n in ("group", "source") if n in pq.read_schema(path).names]
        with pq.ParquetFile(path, read_dictionary=coded) as file:
            present = [name for name in wanted if name in file.schema_arrow.names]
            if error not in present:
                raise DataError(
                    f"{path} has no column {error!r}; write predictions with gapwise record"
                )
            table = file.read(present)
    except (OSError, pa.ArrowException) as wrong:
        raise DataError(
            f"{path} cannot be read as Parquet: {shown(wrong)}; write it anew"
        ) from None
    if error != "error":
        return _known(table, error)
    needed = {"example_id", "target", "predicted"} <= set(table.column_names)
    return in_table(table, relabels, classes_of(table)) if relabels and needed else table


def _known(table: pa.Table, error: str) -> pa.Table:
    """Return the rows where the errors of one label are known, those called ``error``."""
    given = table.column(error).cast(pa.float64())
    known = pc.fill_null(pc.invert(pc.is_nan(given)), fill_value=False)
    names = ["error" if name == error else name for name in table.column_names]
    return table.filter(known).rename_columns(names)


def classes_of(table: pa.Table | pq.ParquetFile) -> tuple[str, ...]:
    """Return the class names that a table or a file states, () where it states none."""
    schema = table.schema if isinstance(table, pa.Table) else table.schema_arrow
    text = (schema.metadata or {}).get(CLASSES_KEY)
    return tuple(json.loads(text)) if text else ()


def _example_keys(tables: Sequence[pa.Table]) -> list[NDArray[np.generic] | None]:
    """Keys that match the examples of several runs: row numbers where the ids agree row by row."""
    if len(tables) == 1 or any("example_id" not in table.schema.names for table in tables):
        return [None] * len(tables)
    first = tables[0].column("example_id")
    if all(first.equals(table.column("example_id")) for table in tables[1:]):
        return [np.arange(len(first))] * len(tables)
    return [
        np.asarray(table.column("example_id").cast(pa.string()).to_pylist(), np.str_)
        for table in tables
    ]


def _columns(table: pa.Table, where: str, key: NDArray[np.generic] | None) -> Columns:
    return Columns(
        where=where,
        error=numbers(table, "error", np.nan),
        weight=numbers(table, "weight", 1.0) if "weight" in table.schema.names else None,
        group=_group_keys(table, names_wanted=key is not None),
        example=key,
        source=_coded(table, "source"),
        target=_target(table, classes_of(table)),
    )


def numbers(table: pa.Table, name: str, missing: float) -> NDArray[np.float64]:
    """Return a column as numbers, ``missing`` where a cell is empty: (n,)."""
    return np.asarray(_array(table.column(name), pa.float64(), missing), np.float64)


def _array(column: pa.Array | pa.ChunkedArray, kind: pa.DataType, missing: float) -> NDArray[Any]:
    """A column as numpy, by DLPack: pyarrow's ``to_numpy`` and scalars import pandas (0.4 s)."""
    column = column.cast(kind)
    if not column.null_count:
        return np.from_dlpack(_whole(column))
    valid = np.from_dlpack(_whole(column.is_valid().cast(pa.int8()))) == 1
    given = _array(column.drop_null(), kind, missing)
    filled = np.full(len(column), missing, given.dtype)
    filled[valid] = given
    return filled


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One array, whether it was chunked or not."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array


def _dictionary(table: pa.Table, name: str) -> pa.DictionaryArray | None:
    """A column as one dictionary array; None where it is missing or says nothing at all."""
    if name not in table.schema.names or table.column(name).null_count == len(table):
        return None
    column = table.column(name)
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    return _whole(column.unify_dictionaries())


def _coded(table: pa.Table, name: str) -> tuple[list[str], NDArray[np.int64]] | None:
    """Names and codes of a string column, "" for what is missing."""
    array = _dictionary(table, name)
    if array is None:
        return None
    names = ["" if value is None else str(value) for value in array.dictionary.to_pylist()]
    return [*names, ""], _codes(array, len(names))


def _codes(array: pa.DictionaryArray, missing: int) -> NDArray[np.int64]:
    return np.asarray(_array(array.indices, pa.int64(), missing), np.int64)


def _group_keys(table: pa.Table, *, names_wanted: bool) -> NDArray[np.generic] | None:
    """Codes, or names where runs must be matched; examples without a group stand alone."""
    array = _dictionary(table, "group")
    if array is None:
        return None
    if names_wanted:
        names, codes = _coded(table, "group") or ([], np.empty(0, np.int64))
        return np.asarray(names, np.str_)[codes]
    size = len(array.dictionary)
    codes = _codes(array, size)
    lengths = _array(pc.utf8_length(array.dictionary), pa.int64(), 0)
    alone = np.append(lengths == 0, True)[codes]
    return np.where(alone, size + np.arange(len(codes)), codes)


def _target(
    table: pa.Table, classes: tuple[str, ...]
) -> tuple[list[str], NDArray[np.int64]] | None:
    """True classes as names and codes; None where targets are no classes."""
    if "target" not in table.schema.names:
        return None
    if described(table.schema).kind != "class":
        return None
    column = table.column("target")
    if classes and pa.types.is_integer(column.type) and not column.null_count:
        codes = _array(column, pa.int64(), 0)
        if len(codes) and codes.min() >= 0 and codes.max() < len(classes):
            return list(classes), codes
        return None
    found = _coded(table, "target")
    return None if found is None or len(found[0]) > MOST_CLASSES else found
