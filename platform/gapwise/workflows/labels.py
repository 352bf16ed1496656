"""`gapwise labels export|import`: tags and labels as files that other tools read and write."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.ids import composed
from gapwise.ledger import labels, tags
from gapwise.ledger.conflict import ConflictError
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.files import write_whole
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import example_pictures, label_studio, label_table, labelled
from gapwise.workflows.author import author
from gapwise.workflows.label_table import Known, Row
from gapwise.workflows.looking import count_looks

FORMATS: Final = ("csv", "parquet", "label-studio")
LARGEST: Final = 512 * 2**20
"""Bytes of a file that is imported."""


@dataclass(frozen=True, kw_only=True)
class LabelFile:
    """Which file, of what, and how.

    Attributes:
        file: where to write, or what to read.
        run: a run of the dataset; its predictions give labels and, for Label Studio, the tasks.
        to: the format; by default the file's ending tells it.
        split: of the tasks.
        spreadsheet: guard cells that a spreadsheet would run as formulas.
    """

    file: Path
    run: str = "latest"
    to: str = ""
    split: str = "dev"
    spreadsheet: bool = False

    @property
    def format(self) -> str:
        """The format.

        Raises:
            UsageError: it is not known.
        """
        by_ending = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet", ".json": FORMATS[2]}
        found = self.to or by_ending.get(self.file.suffix.lower(), "")
        if found not in FORMATS:
            raise UsageError(
                f"format {shown(found or self.file.name)!r}: {did_you_mean(found, FORMATS)}; boxes "
                "(COCO) wait for a task that has them"
            )
        return found


def export_labels(request: LabelFile, settings: Settings | None = None) -> dict[str, Any]:
    """Write what holds now of a dataset's labels, tags and comments; say how many rows.

    Raises:
        UsageError: an unknown format, run or split, or the file is there already.
        DataError: for Label Studio, the run has no such predictions of classes.
        StorageError: the file cannot be written.
    """
    settings = settings or Settings.read()
    kind = request.format
    if request.file.exists():
        raise UsageError(f"{request.file} is there already; name another file, or move it away")
    run = RunStore(settings).open(request.run)
    ledger = Ledger(settings.ledger_url)
    if kind == "label-studio":
        content = _tasks(run, request.split, settings)
        count = len(content)
        write_whole(request.file, json.dumps(content, ensure_ascii=False).encode())
    else:
        held = _rows(ledger, run.dataset)
        count = len(held)
        as_csv = kind == "csv"
        text = label_table.to_csv(held, spreadsheet=request.spreadsheet) if as_csv else ""
        write_whole(request.file, text.encode() if as_csv else _parquet(held))
    return {
        "file": str(request.file),
        "format": kind,
        "dataset": run.dataset,
        "rows": count,
        "revision": ledger.revision(),
    }


def import_labels(request: LabelFile, settings: Settings | None = None) -> dict[str, Any]:
    """Append a file's labels, tags and comments to the ledger; what holds already is not repeated.

    Raises:
        UsageError: an unknown format or run.
        DataError: a row that cannot be read; nothing was appended.
    """
    settings = settings or Settings.read()
    run = RunStore(settings).open(request.run)
    given = _given(run, settings)
    known = Known(dataset=run.dataset, given=given, author=author(), source=request.file.name)
    ledger = Ledger(settings.ledger_url)
    read = [{**row, "example_id": composed(row["example_id"])} for row in _read(request)]
    held = _held(ledger, run.dataset)
    entries = label_table.entries([row for row in read if _cells(row) not in held], known)
    unknown = sorted({row["example_id"] for row in read} - given.keys()) if given else []
    before = ledger.revision()
    found = ledger.append_all(entries)
    return {
        "file": str(request.file),
        "dataset": run.dataset,
        "rows": len(read),
        "new": ledger.revision() - before,
        "refused": sum(isinstance(one, ConflictError) for one in found),
        "orphans": unknown,
        "revision": ledger.revision(),
    }


def _rows(ledger: Ledger, dataset: str) -> list[dict[str, str]]:
    return label_table.rows(labels.book(ledger, dataset), tags.book(ledger, dataset))


def _held(ledger: Ledger, dataset: str) -> set[tuple[str, ...]]:
    """Return what holds already: importing an export back changes nothing."""
    return {_cells(row) for row in _rows(ledger, dataset)}


def _cells(row: Row) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in label_table.COLUMNS)


def _tasks(run: StoredRun, split: str, settings: Settings) -> list[dict[str, Any]]:
    run.needed_predictions(split)
    if split == "test":
        count_looks([run], settings)
    table = labelled.read(run, split, settings)
    if not table.classes or table.target.ndim > 1:
        raise DataError(f"run {run.run_id} has no classes on {split}; export csv or parquet")
    picture = example_pictures.of_run(run, RunStore(settings), split)
    rows: Sequence[int] = np.argsort(-table.error, kind="stable").tolist()
    return label_studio.tasks(table, rows, picture, run_id=run.run_id, dataset=run.dataset)


def _given(run: StoredRun, settings: Settings) -> dict[str, str]:
    """Return example → label in the data, of all splits of a run of classes."""
    found: dict[str, str] = {}
    for split in run.splits():
        table = labelled.read(run, split, settings, columns=("example_id", "target"), revision=0)
        if table.classes and table.target.ndim == 1 and table.target.dtype.kind in "iu":
            names = np.array(table.classes)[table.target]
            found |= dict(zip(table.example_id.tolist(), names.tolist(), strict=True))
    return found


def _read(request: LabelFile) -> Iterable[Row]:
    path, kind = request.file, request.format
    if not path.is_file():
        raise UsageError(f"{path} is no file; name one that `gapwise labels export` could write")
    if path.stat().st_size > LARGEST:
        raise DataError(f"{path} is larger than {LARGEST >> 20} MiB; import it in parts")
    try:
        if kind == "parquet":
            table = pq.read_table(path)
            label_table.check_names(table.column_names)
            names = [name for name in table.column_names if name in label_table.COLUMNS]
            cells = table.select(names).to_pylist()
            return [{k: "" if v is None else str(v) for k, v in row.items()} for row in cells]
        text = path.read_text(encoding="utf-8-sig")
        if kind == "label-studio":
            return list(label_studio.rows_of(json.loads(text)))
        return list(label_table.from_csv(text, spreadsheet=request.spreadsheet))
    except (pa.ArrowException, csv.Error, RecursionError, ValueError, OSError) as error:
        raise DataError(
            f"{path} cannot be read as {kind} ({shown(error, 200)}); mend it, or export it anew"
        ) from error


def _parquet(held: Sequence[Row]) -> bytes:
    columns = {
        name: pa.array([row[name] for row in held], pa.string()) for name in label_table.COLUMNS
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()
