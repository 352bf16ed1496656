"""The predictions table: one Parquet file a split and run (DESIGN: Predictions).

Whatever can write this table gets every diagnosis: ``read`` accepts tables without the optional
columns, and names row and column of what it cannot accept. Classes stand in it as integers, numbers
as doubles, several labels as JSON (``gapwise.tracking.several``).
"""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from gapwise.errors import DataError, did_you_mean, shown
from gapwise.labels import CLASSES, Labels
from gapwise.records import Predictions
from gapwise.tracking import several, strings
from gapwise.tracking.checked import checked
from gapwise.tracking.files import naming, write_whole

__all__ = ["checked", "read", "read_media_root", "write"]

COLUMNS = (
    *("example_id", "source", "group", "weight", "target", "predicted"),
    *("error", "loss", "scores", "media"),
)
_TEXT = ("source", "group", "media")
_CLASSES = b"gapwise.classes"
_LABELS = b"gapwise.labels"
_SPLIT = b"gapwise.split"
_MEDIA_ROOT = b"gapwise.media_root"


def write(path: Path, predictions: Predictions, *, media_root: str = "") -> None:
    """Write the table, whole or not at all; class names and split stand in its metadata.

    Args:
        path: the file; its folder is made.
        predictions: what to write.
        media_root: the folder that ``predictions.media`` is relative to.

    Raises:
        DataError: the predictions are not valid; names row and column.
        StorageError: the file cannot be written.
    """
    checked(predictions, str(path))
    table = pa.table(_columns(predictions))
    labels = {
        _CLASSES: json.dumps(predictions.classes).encode(),
        _SPLIT: predictions.split.encode(),
        _MEDIA_ROOT: media_root.encode(),
    }
    if predictions.labels.kind != "class":
        labels[_LABELS] = json.dumps(predictions.labels.as_json()).encode()
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(labels), buffer, compression="zstd")
    with naming(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())


def read(path: Path, columns: Sequence[str] | None = None, split: str | None = None) -> Predictions:
    """Read a table; optional columns may be missing, further ones are metadata.

    Args:
        path: the Parquet file.
        columns: the columns wanted, all by default. What is required but not wanted is filled
            with "" (ids, labels) and NaN (errors), and costs nothing.
        split: the split; by default the table's own word, else the file's name.

    Raises:
        DataError: the file is no such table; names row and column.
    """
    table = _table(path, columns)
    labels = table.schema.metadata or {}
    classes = tuple(json.loads(labels.get(_CLASSES, b"[]")))
    n = table.num_rows
    described = _described(table)
    predictions = Predictions(
        split=split or labels.get(_SPLIT, b"").decode() or path.stem,
        example_id=_text(table, "example_id", n),
        target=_label(table, "target", classes or described, path),
        predicted=_label(table, "predicted", classes or described, path),
        error=_number(table, "error", path, np.nan),
        weight=_number(table, "weight", path, 1.0),
        classes=classes,
        loss=_number(table, "loss", path, np.nan) if "loss" in table.column_names else None,
        scores=_scores(table, path) if "scores" in table.column_names else None,
        labels=described,
        source=_optional(table, "source"),
        group=_optional(table, "group"),
        media=_optional(table, "media"),
        metadata={name: _plain(table[name]) for name in table.column_names if name not in COLUMNS},
    )
    return checked(predictions, str(path), columns)


def read_media_root(path: Path) -> str:
    """Return the folder that a table's ``media`` is relative to, "" where it names none."""
    labels = _schema(path).metadata or {}
    root: bytes = labels.get(_MEDIA_ROOT, b"")
    return root.decode()


def _columns(predictions: Predictions) -> dict[str, Any]:
    columns: dict[str, Any] = {"example_id": strings.to_arrow(predictions.example_id)}
    for name in _TEXT:
        values = getattr(predictions, name)
        if values is not None:
            columns[name] = strings.to_arrow(values)
    columns["weight"] = pa.array(predictions.weight, pa.float64())
    for name in ("target", "predicted"):
        columns[name] = _labelled(predictions.labels, getattr(predictions, name))
    columns["error"] = pa.array(predictions.error, pa.float64())
    if predictions.loss is not None:
        columns["loss"] = pa.array(predictions.loss, pa.float64())
    if predictions.scores is not None:
        columns["scores"] = _lists(predictions.scores)
    return columns | {name: _metadata(v) for name, v in predictions.metadata.items()}


def _labelled(labels: Labels, values: NDArray[Any]) -> pa.Array:
    if values.ndim == 2:
        return strings.to_arrow(several.to_text(labels, values))
    if values.dtype.kind in "UO":
        return strings.to_arrow(values)
    return pa.array(values, pa.float64() if values.dtype.kind == "f" else None)


def _described(table: pa.Table) -> Labels:
    """Return what targets are: as the table says, else numbers where they stand as doubles."""
    stated = (table.schema.metadata or {}).get(_LABELS)
    if stated is not None:
        return Labels.read(json.loads(stated))
    names = table.column_names
    if "target" in names and pa.types.is_floating(table["target"].type):
        return Labels(kind="number", names=("target",))
    return CLASSES


def _lists(scores: NDArray[np.float32]) -> pa.Array:
    n, k = scores.shape
    offsets = pa.array(np.arange(0, (n + 1) * k, k) if k else np.zeros(n + 1), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(scores.ravel(), pa.float32()))


def _metadata(values: NDArray[Any]) -> pa.Array:
    if values.dtype.kind == "U":
        return strings.to_arrow(values)
    try:
        return pa.array(values)
    except pa.ArrowException:
        return strings.to_arrow(values.astype(str))


def _table(path: Path, columns: Sequence[str] | None) -> pa.Table:
    names = _schema(path).names
    if columns is not None:
        missing = [c for c in columns if c not in names and c not in COLUMNS]
        if missing:
            known = ", ".join(names)
            raise DataError(f"{path} has no column {missing[0]!r}; it has {known}")
    for required in ("example_id", "target", "predicted", "error"):
        if required not in names:
            raise DataError(
                f"{path} has no column {required!r} ({did_you_mean(required, names)}); "
                "`gapwise record` writes a whole table from one that lacks some"
            )
    wanted = None if columns is None else [name for name in columns if name in names]
    try:
        return pq.read_table(path, columns=wanted, read_dictionary=list(_TEXT[:2]))
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read: {shown(error, 200)}; write it anew") from error


def _schema(path: Path) -> pa.Schema:
    if not path.is_file():
        raise DataError(f"{path} is no file; give a predictions table (Parquet)")
    try:
        return pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} is no Parquet file: {shown(error, 200)}; write it anew") from error


def _text(table: pa.Table, name: str, n: int) -> NDArray[np.str_]:
    if name in table.column_names:
        return strings.to_numpy(table[name])
    return np.broadcast_to(np.array(""), (n,))


def _optional(table: pa.Table, name: str) -> NDArray[np.str_] | None:
    return strings.to_numpy(table[name]) if name in table.column_names else None


def _number(table: pa.Table, name: str, path: Path, default: float) -> NDArray[np.float64]:
    if name not in table.column_names:
        return np.broadcast_to(np.array(default), (table.num_rows,))
    column = table[name]
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise DataError(f"{path}: column {name!r} is {column.type}; it must hold numbers")
    values: NDArray[np.float64] = column.to_numpy().astype(np.float64, copy=False)
    return values


def _label(table: pa.Table, name: str, known: Sequence[str] | Labels, path: Path) -> NDArray[Any]:
    """Return a label column; ``known`` are the class names, or what else the labels are."""
    if name not in table.column_names:
        return np.broadcast_to(np.array(""), (table.num_rows,))
    column = table[name]
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0]) + 1
        raise DataError(f"{path}, row {row}: {name} is empty; every example needs one")
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        values: NDArray[Any] = column.to_numpy()
        return values.astype(np.int64, copy=False) if values.dtype.kind in "iu" else values
    text = strings.to_numpy(column)
    if isinstance(known, Labels):
        several_labels = known.kind == "several"
        return several.from_text(known, text, str(path), name) if several_labels else text
    return _positions(text, known, name, path)


def _positions(
    text: NDArray[np.str_], classes: Sequence[str], name: str, path: Path
) -> NDArray[np.int64]:
    index: Mapping[str, int] = {known: position for position, known in enumerate(classes)}
    found, inverse = np.unique(text, return_inverse=True)
    for position, label in enumerate(found.tolist()):
        if label not in index:
            row = int(np.argmax(inverse == position)) + 1
            raise DataError(
                f"{path}, row {row}: {name} {shown(label)!r} is no class; "
                f"{did_you_mean(label, classes)}"
            )
    order = np.array([index[label] for label in found.tolist()], np.int64)
    return order[inverse]


def _scores(table: pa.Table, path: Path) -> NDArray[np.float32]:
    column = table["scores"].combine_chunks()
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)
            or pa.types.is_fixed_size_list(kind)):  # fmt: skip
        raise DataError(f"{path}: column 'scores' is {kind}; it must hold lists of numbers")
    lengths = column.value_lengths().fill_null(-1).to_numpy(zero_copy_only=False)
    k = int(lengths[0]) if len(lengths) else 0
    uneven = np.flatnonzero(lengths != k)
    if len(uneven) or k < 0:
        row = int(uneven[0]) + 1 if len(uneven) else 1
        found = max(0, int(lengths[row - 1]))
        raise DataError(f"{path}, row {row}: scores has {found} entries, row 1 has {max(0, k)}; "
                        "give every class a score in every row")  # fmt: skip
    flat: NDArray[np.float32] = column.flatten().cast(pa.float32()).to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), k)


def _plain(column: pa.ChunkedArray) -> NDArray[Any]:
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return strings.to_numpy(column)
    values: NDArray[Any] = column.to_numpy()
    return values
