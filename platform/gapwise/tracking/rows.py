"""One row a run: by one SQL query where the store is SQLite, else by MLflow's search."""

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from gapwise.errors import StorageError
from gapwise.tracking.client import RUN_TAG, answering
from gapwise.tracking.files import read_json
from gapwise.tracking.folder import RunFolder, RunRecord, folders_in
from gapwise.tracking.parameters import decode
from gapwise.tracking.spool import last_values

if TYPE_CHECKING:
    from mlflow import MlflowClient

WRITING: Final = 500
"""Milliseconds in which a run that ends writes its record."""

_QUERY = """
SELECT r.run_uuid, r.name, e.name, r.status, r.start_time, r.end_time, r.lifecycle_stage,
  (SELECT json_group_object(key, value) FROM tags t WHERE t.run_uuid = r.run_uuid),
  (SELECT json_group_object(key, value) FROM params p WHERE p.run_uuid = r.run_uuid),
  (SELECT json_group_object(key, CASE WHEN is_nan THEN NULL ELSE value END)
     FROM latest_metrics m WHERE m.run_uuid = r.run_uuid)
FROM runs r JOIN experiments e USING (experiment_id)
ORDER BY r.start_time DESC
"""

_READ = {"runs", "experiments", "tags", "params", "latest_metrics"}
"""Tables that the query reads."""

_FIRST = {"experiments", "alembic_version"}
"""Tables that MLflow begins with."""


_KEPT: Final[dict[Path, tuple[tuple[int, ...], list["RunRow"]]]] = {}
_KEEPING: Final = Lock()


@dataclass(kw_only=True)
class RunRow:
    """What a list shows of one run; times in milliseconds since 1970."""

    run_id: str
    mlflow_id: str = ""
    name: str
    experiment: str
    status: str
    started: int
    ended: int | None
    kind: str = ""
    dataset: str = ""
    group: str = ""
    seed: int | None = None
    deleted: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Known:
    """The runs of one tracking server that have ended, as this process knows them.

    Attributes:
        ended: run id → row.
        whole: when all were asked for, by the monotonic clock; 2,000 runs take MLflow 10 s.
    """

    ended: dict[str, RunRow] = field(default_factory=dict)
    whole: float = 0.0
    guard: Lock = field(default_factory=Lock)


_KNOWN: Final[dict[str, Known]] = {}


def known(uri: str) -> Known:
    """Return what this process knows of a tracking server; all its stores share it."""
    return _KNOWN.setdefault(uri, Known())


def kept(file: Path) -> list[RunRow]:
    """Return ``from_sqlite``; the whole process reads the store again only when it has changed.

    Raises:
        StorageError: as there.
    """
    with _KEEPING:
        stamp = _stamp(file)
        if file not in _KEPT or _KEPT[file][0] != stamp:
            _KEPT[file] = (stamp, from_sqlite(file))
        return _KEPT[file][1]


def _stamp(file: Path) -> tuple[int, ...]:
    """What changes whenever the database does: times and sizes of it and of its log."""
    stats = [f.stat() for f in (file, file.with_name(f"{file.name}-wal")) if f.exists()]
    return tuple(value for stat in stats for value in (stat.st_mtime_ns, stat.st_size))


def from_sqlite(file: Path) -> list[RunRow]:
    """Read all runs of an embedded MLflow store, newest first.

    None where there is no store, or one that MLflow is just making, table by table.

    Raises:
        StorageError: the file cannot be read or is no MLflow store.
    """
    if not file.exists():
        return []
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
        try:
            if _is_being_made(connection):
                return []
            return [_from_sql(row) for row in connection.execute(_QUERY)]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StorageError(
            f"cannot list the runs in {file}: {error}; run `gapwise doctor`"
        ) from error


def _is_being_made(connection: sqlite3.Connection) -> bool:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    begun = not tables or bool(tables & _FIRST)
    return begun and not tables >= _READ


def from_folder(folder: RunFolder) -> RunRow:
    """Read one run from its folder."""
    record = folder.read()
    status = folder.true_status(record)
    metrics = record.metrics if record.ended else last_values(folder.spool)
    row = _from_record(record, status, metrics)
    if folder.drained.exists():
        row.mlflow_id = read_json(folder.drained).get("mlflow_id", "")
    return row


def from_search(client: "MlflowClient", uri: str, cache: dict[str, RunRow]) -> list[RunRow]:
    """List all runs of a tracking server, newest first.

    ``cache`` (run id → row) holds the runs that have ended; only others are asked for again.

    Raises:
        ServiceError: the server does not answer.
    """
    with answering(uri):
        names = {e.experiment_id: e.name for e in client.search_experiments()}
        ids = list(names)
        since = max((row.ended or 0 for row in cache.values()), default=0)
        fresh = _search(client, ids, "attributes.status = 'RUNNING'")
        fresh += _search(client, ids, f"attributes.end_time >= {since}")
        if not cache:
            fresh = _search(client, ids, "")
    rows = {row.run_id: row for row in (_from_mlflow(run, names) for run in fresh)}
    for run_id, row in rows.items():
        if row.ended and row.status != "RUNNING":
            cache[run_id] = row
        else:
            cache.pop(run_id, None)
    return sorted((cache | rows).values(), key=lambda row: row.started, reverse=True)


def by_id(client: "MlflowClient", uri: str, run_id: str) -> RunRow | None:
    """Ask a tracking server for one run by the id that we gave it; None where it has none.

    Raises:
        ServiceError: the server does not answer.
    """
    with answering(uri):
        names = {e.experiment_id: e.name for e in client.search_experiments()}
        found = _search(client, list(names), f"tags.`{RUN_TAG}` = '{run_id}'")
    return _from_mlflow(found[0], names) if found else None


def _search(client: "MlflowClient", experiments: list[str], wanted: str) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = client.search_runs(experiments, wanted, max_results=1000, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _from_mlflow(run: Any, names: Mapping[str, str]) -> RunRow:
    info, data = run.info, run.data
    head = (info.run_id, info.run_name, names[info.experiment_id], info.status)
    times = (info.start_time, info.end_time, info.lifecycle_stage)
    return _row((*head, *times), data.tags, data.params, data.metrics)


def _from_sql(row: tuple[Any, ...]) -> RunRow:
    tags, parameters, metrics = (json.loads(text) for text in row[7:])
    numbers = {k: math.nan if v is None else float(v) for k, v in metrics.items()}
    return _row(row[:7], tags, parameters, numbers)


def _row(
    head: tuple[Any, ...],
    tags: Mapping[str, str],
    parameters: Mapping[str, str],
    metrics: Mapping[str, float],
) -> RunRow:
    mlflow_id, name, experiment, status, started, ended, stage = head
    values = {key: decode(text) for key, text in parameters.items()}
    prefix = "gapwise.changed."
    values |= {k.removeprefix(prefix): decode(v) for k, v in tags.items() if k.startswith(prefix)}
    seed = tags.get("gapwise.seed", "")
    return RunRow(
        run_id=tags.get(RUN_TAG, mlflow_id),
        mlflow_id=mlflow_id,
        name=name or mlflow_id,
        experiment=experiment,
        status=status,
        started=started or 0,
        ended=ended if status != "RUNNING" else None,
        kind=tags.get("gapwise.kind", ""),
        dataset=tags.get("gapwise.dataset", ""),
        group=tags.get("gapwise.group", ""),
        seed=int(seed) if seed.lstrip("-").isdigit() else None,
        deleted=stage == "deleted",
        tags=tags,
        parameters=values,
        metrics=metrics,
    )


def _from_record(record: RunRecord, status: str, metrics: Mapping[str, float]) -> RunRow:
    return RunRow(
        run_id=record.run_id,
        name=record.name,
        experiment=record.experiment,
        status=status,
        started=record.started,
        ended=record.ended,
        kind=record.kind,
        dataset=record.dataset,
        group=record.group or "",
        seed=record.seed,
        tags=record.tags,
        parameters=record.parameters,
        metrics=metrics,
    )


def merged(stored: Iterable[RunRow], runs: Path) -> list[RunRow]:
    """Return the stored rows with what only the run folders know, newest first.

    A run that MLflow calls anything but finished, or whose folder was written after its end (it is
    trained again), is told by its folder, if that is on this machine; a run that MLflow does not
    have yet is added.
    """
    rows = {row.run_id: row for row in stored}
    for folder in folders_in(runs):
        run_id = folder.path.name
        known = rows.get(run_id)
        if known is None or _may_differ(known, folder):
            rows[run_id] = _overlaid(known, folder)
    shown = (row for row in rows.values() if not row.deleted)
    return sorted(shown, key=lambda row: row.started, reverse=True)


def _may_differ(row: RunRow, folder: RunFolder) -> bool:
    if row.deleted:
        return False
    if row.status != "FINISHED" or row.ended is None:
        return True
    return folder.written() > row.ended + WRITING


def _overlaid(known: RunRow | None, folder: RunFolder) -> RunRow:
    if known is None:
        return from_folder(folder)
    record = folder.read()
    metrics = record.metrics if record.ended else known.metrics
    row = _from_record(record, folder.true_status(record), metrics)
    row.mlflow_id = known.mlflow_id
    return row
