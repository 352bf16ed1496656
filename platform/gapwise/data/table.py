"""A table of a manifest, CSV or Parquet: columns by name, and where each row stands.

Cells of a CSV stay text until somebody asks for numbers. What cannot be read without doubt is
refused with its row: a quote that is not closed, a row with too many or too few cells, a field
over 1 MB, a number like ``1,5`` or ``nan``.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from gapwise.errors import DataError, did_you_mean, shown

MAX_FIELD = 2**20
MAX_COLUMNS = 20_000
PIECE = 50_000
NUMBER = r"^\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
WANTED = "wanted is a header like id,image,label (or feature columns for image) and rows below it"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns of one length n.

    Attributes:
        path: the file.
        columns: name → (n,) Arrow array.
        lines: (n,) the line (CSV) or row (Parquet) of the file that each row begins on, from 1.
    """

    path: Path
    columns: dict[str, pa.ChunkedArray]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int) -> str:
        """Return where a row stands, for messages."""
        return f"{self.path}:{self.lines[row]}"

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column.

        Raises:
            DataError: there is none of that name.
        """
        if name not in self.columns:
            help_ = did_you_mean(name, self.columns)
            raise DataError(f"{self.path} has no column {shown(name)}; {help_}")
        return self.columns[name]

    def text(self, name: str) -> list[str]:
        """Return a column as text, "" where a cell is empty."""
        column = self.column(name)
        if not pa.types.is_string(column.type):
            column = column.cast(pa.string())
        return [cell or "" for cell in column.to_pylist()]

    def is_numeric(self, name: str) -> bool:
        """Return whether at least half of a column's cells that are not empty are numbers."""
        column = self.column(name)
        if not _is_text(column.type) or _plain(column) is not None:
            return True
        filled = _filled(column)
        numbers = pc.sum(pc.match_substring_regex(filled, NUMBER)).as_py() or 0
        return len(filled) > 0 and 2 * numbers >= len(filled)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column as numbers, NaN where a cell is empty: (n,) float64.

        Raises:
            DataError: a cell is no plain, finite number; names column and row.
        """
        column = self.column(name)
        plain = _plain(column)
        if plain is not None:
            return plain
        missing = pc.is_null(column)
        if _is_text(column.type):
            missing = pc.or_kleene(missing, pc.equal(pc.utf8_trim_whitespace(column), ""))
            bad = pc.invert(pc.or_kleene(missing, pc.match_substring_regex(column, NUMBER)))
            self._refuse(name, column, bad.to_numpy())
            column = pc.if_else(missing, None, pc.utf8_trim_whitespace(column))
            # Arrow reads no leading plus.
            column = pc.replace_substring_regex(column, r"^\+", "")
        values: NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        empty = missing.to_numpy()
        self._refuse(name, self.columns[name], ~empty & ~np.isfinite(values))
        return values

    def _refuse(self, name: str, column: pa.ChunkedArray, bad: NDArray[np.bool_]) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(
                f"{self.place(row)}: column {shown(name)} holds {shown(column[row].as_py())}, "
                "which is no finite number; write it like 1.5 or leave it empty"
            )


def read_table(path: Path) -> Table:
    """Read a CSV (UTF-8) or Parquet file.

    Raises:
        DataError: it is missing, empty, or cannot be read without doubt.
    """
    if not path.is_file():
        raise DataError(f"there is no manifest {path}; {WANTED}")
    is_parquet = path.suffix.lower() in (".parquet", ".pq")
    table = _read_parquet(path) if is_parquet else _read_csv(path)
    if not len(table):
        raise DataError(f"{path} holds no rows below its header; {WANTED}")
    return table


def _read_parquet(path: Path) -> Table:
    try:
        content = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path} is no Parquet file that can be read ({error}); write it anew"
        ) from error
    columns = {}
    for name in content.column_names:
        column = content.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        columns[str(name)] = column
    return Table(path=path, columns=columns, lines=np.arange(1, content.num_rows + 1))


def _read_csv(path: Path) -> Table:
    lines: list[int] = []
    pieces: list[pa.Table] = []
    names: list[str] = []
    rows: list[list[str]] = []
    for line, cells in _csv_rows(path):
        if not names:
            names = _header(path, cells)
            continue
        if len(cells) != len(names):
            raise DataError(
                f"{path}:{line}: {len(cells)} cells where the header names {len(names)}; put a "
                "cell with commas into quotes"
            )
        lines.append(line)
        rows.append(cells)
        if len(rows) == PIECE:
            pieces.append(_piece(names, rows))
            rows = []
    if not names:
        raise DataError(f"{path} is empty; {WANTED}")
    pieces.append(_piece(names, rows))
    whole = pa.concat_tables(pieces)
    columns = {name: whole.column(name) for name in names}
    return Table(path=path, columns=columns, lines=np.array(lines, dtype=np.int64))


def _piece(names: Sequence[str], rows: Sequence[Sequence[str]]) -> pa.Table:
    cells = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, cells, strict=True)})


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give every row that is not empty, with the line it begins on."""
    previous = csv.field_size_limit(MAX_FIELD)
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {_bad_byte(path)}; save it as UTF-8") from error
    except csv.Error as error:
        raise DataError(
            f"{path}:{line}: this row cannot be read ({error}); close its quotes and keep fields "
            "under 1 MB"
        ) from error
    finally:
        csv.field_size_limit(previous)


def _bad_byte(path: Path) -> str:
    """Return the first byte that is not UTF-8; a stream knows only its place in a buffer."""
    content = path.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"byte {error.start:,} is {content[error.start]:#04x}"
    return "it changed while it was read"


def _header(path: Path, cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"{path}: {len(names):,} columns are more than {MAX_COLUMNS:,}; store such inputs as "
            "npz"
        )
    if len(names) < 2 or "" in names:
        raise DataError(f"{path}:1: the header names {shown(','.join(names))}; {WANTED}")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DataError(f"{path}:1: column {shown(name)} stands twice; rename one")
    return names


def _plain(column: pa.ChunkedArray) -> NDArray[np.float64] | None:
    """Return a column as numbers where all of it can be read at once, else None."""
    if column.null_count:
        return None
    try:
        values: NDArray[np.float64] = column.cast(pa.float64()).to_numpy()
    except pa.ArrowException:
        return None
    return values if np.isfinite(values).all() else None


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _filled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    present = pc.and_kleene(pc.is_valid(column), pc.not_equal(pc.utf8_trim_whitespace(column), ""))
    return pc.filter(column, present)
