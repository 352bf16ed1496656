"""From Parquet to evidence: only the columns that a ladder needs are read."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from gapwise.diagnostics.errors_by_split import MOST_CLASSES, Columns, SplitErrors, summarise
from gapwise.errors import DataError, shown

CLASSES_KEY = b"gapwise.classes"
_WANTED = ("error", "weight", "group", "source", "target")


def read_splits(
    paths: Mapping[str, Sequence[Path]],
) -> tuple[dict[str, tuple[SplitErrors, ...]], tuple[str, ...]]:
    """Return ``Evidence.splits`` and the class names from prediction files.

    Args:
        paths: split → the Parquet file of every run. A split with an empty file is left out.

    Raises:
        DataError: a file cannot be read, lacks the column ``error``, or holds wrong numbers.
    """
    splits: dict[str, tuple[SplitErrors, ...]] = {}
    classes: tuple[str, ...] = ()
    for split, files in paths.items():
        several = len(files) > 1
        tables = [_table(Path(file), several) for file in files]
        if not all(len(table) for table in tables):
            continue
        classes = classes or _classes(tables[0])
        splits[split] = tuple(
            summarise(_columns(table, str(file), several))
            for table, file in zip(tables, files, strict=True)
        )
    return splits, classes


def _table(path: Path, keep_examples: bool) -> pa.Table:
    wanted = (*_WANTED, "example_id") if keep_examples else _WANTED
    try:
        with pq.ParquetFile(path, read_dictionary=["group", "source"]) as file:
            present = [name for name in wanted if name in file.schema_arrow.names]
            if "error" not in present:
                raise DataError(
                    f"{path} has no column 'error'; write predictions with gapwise record"
                )
            return file.read(present)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path} cannot be read as Parquet: {shown(error)}; write it anew"
        ) from None


def _classes(table: pa.Table) -> tuple[str, ...]:
    text = (table.schema.metadata or {}).get(CLASSES_KEY)
    return tuple(json.loads(text)) if text else ()


def _columns(table: pa.Table, where: str, keep_examples: bool) -> Columns:
    classes = _classes(table)
    group = _coded(table, "group")
    source = _coded(table, "source")
    keys = (
        _strings(table, "example_id")
        if keep_examples and "example_id" in table.schema.names
        else None
    )
    return Columns(
        where=where,
        error=_numbers(table, "error", np.nan),
        weight=_numbers(table, "weight", 1.0) if "weight" in table.schema.names else None,
        group=_group_keys(table, group, keep_examples),
        example=keys,
        source=source,
        target=_target(table, classes),
    )


def _numbers(table: pa.Table, name: str, missing: float) -> NDArray[np.float64]:
    column = table.column(name).cast(pa.float64())
    if column.null_count:
        column = column.fill_null(missing)
    return np.asarray(column.to_numpy(), np.float64)


def _strings(table: pa.Table, name: str) -> NDArray[np.generic]:
    return np.asarray(table.column(name).cast(pa.string()).to_pylist(), np.str_)


def _coded(table: pa.Table, name: str) -> tuple[list[str], NDArray[np.int64]] | None:
    """Names and codes of a string column; None where it is missing or says nothing at all."""
    if name not in table.schema.names or table.column(name).null_count == len(table):
        return None
    column = table.column(name)
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    array = column.combine_chunks()
    array = array.unify_dictionaries() if isinstance(array, pa.ChunkedArray) else array
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    names = ["" if value is None else str(value) for value in array.dictionary.to_pylist()]
    codes = array.indices.cast(pa.int64()).fill_null(len(names))
    return [*names, ""], np.asarray(codes.to_numpy(zero_copy_only=False), np.int64)


def _group_keys(
    table: pa.Table, group: tuple[list[str], NDArray[np.int64]] | None, names_wanted: bool
) -> NDArray[np.generic] | None:
    """Codes, or names where runs must be matched; examples without a group stand alone."""
    if group is None:
        return None
    names, codes = group
    if names_wanted:
        return np.asarray(names, np.str_)[codes]
    empty = np.asarray([not name for name in names])
    alone = empty[codes]
    return np.where(alone, len(names) + np.arange(len(table)), codes)


def _target(
    table: pa.Table, classes: tuple[str, ...]
) -> tuple[list[str], NDArray[np.int64]] | None:
    """True classes as names and codes; None where targets are no classes."""
    if "target" not in table.schema.names:
        return None
    column = table.column("target")
    if classes and pa.types.is_integer(column.type) and not column.null_count:
        codes = np.asarray(column.to_numpy(), np.int64)
        if len(codes) and codes.min() >= 0 and codes.max() < len(classes):
            return list(classes), codes
        return None
    found = _coded(table, "target") if not pa.types.is_floating(column.type) else None
    return None if found is None or len(found[0]) > MOST_CLASSES else found
