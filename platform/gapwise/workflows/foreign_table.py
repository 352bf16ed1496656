"""Files of predictions that were made elsewhere, CSV or Parquet, as one frame."""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gapwise.errors import DataError, shown

_AS_TEXT = ("example_id", "split", "source", "group", "media", "target", "predicted")
_PARQUET = (".parquet", ".pq")
_RAGGED = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


def read_table(path: Path) -> pd.DataFrame:
    """Read a predictions table, CSV or Parquet; its index is the row in the file.

    A CSV's header is row 1, the first row of a Parquet file is row 1. Cells of a CSV are text
    until somebody asks for numbers; only an empty cell is empty, so that a class may be called
    ``NA`` or ``null``.

    Raises:
        DataError: the file is missing, empty or unreadable.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file; give a predictions table (Parquet or CSV)")
    return _parquet(path) if path.suffix.lower() in _PARQUET else _csv(path)


def stated_classes(path: Path) -> tuple[str, ...]:
    """Return the class names that a Parquet table of ours states in its schema; () elsewhere.

    Raises:
        DataError: what the schema states is no list of names.
    """
    if path.suffix.lower() not in _PARQUET:
        return ()
    stated = (pq.read_schema(path).metadata or {}).get(b"gapwise.classes", b"[]")
    try:
        names = json.loads(stated)
    except ValueError:
        names = None
    if not isinstance(names, list) or len(set(map(str, names))) != len(names):
        raise DataError(
            f"{path}: gapwise.classes in its schema is {shown(stated.decode(errors='replace'))!r}; "
            "write a JSON list of distinct class names"
        )
    return tuple(map(str, names))


def _parquet(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (ValueError, OSError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read as Parquet; write it anew") from error
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _csv(path: Path) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                dtype=dict.fromkeys(_AS_TEXT, str),
                keep_default_na=False,
                na_values=[""],
                index_col=False,
                skip_blank_lines=False,
                encoding="utf-8-sig",
                low_memory=False,
            )
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path} is empty; write a header and one row an example") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text; save it as CSV in UTF-8") from error
    except (ValueError, OSError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataError(f"{path}{_what_is_ragged(error)}") from error
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    blank = frame.isna().to_numpy().all(axis=1)
    return frame.loc[~np.asarray(blank)]


def _what_is_ragged(error: Exception) -> str:
    found = _RAGGED.search(str(error))
    if found:
        expected, row, saw = found.groups()
        return (
            f", row {row}: has {saw} cells where the header has {expected}; "
            "quote a cell that holds a comma"
        )
    if isinstance(error, pd.errors.ParserWarning):
        return ": its rows have more cells than its header; name every column in the header"
    return " cannot be read as CSV; write a header and one row an example, cells divided by commas"
