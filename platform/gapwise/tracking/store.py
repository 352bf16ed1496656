"""All runs: make, resume, find and list them."""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gapwise.errors import StorageError, UsageError, did_you_mean, shown
from gapwise.settings import Settings
from gapwise.tracking import rows as listing
from gapwise.tracking.client import connect, sqlite_file
from gapwise.tracking.drain import drain
from gapwise.tracking.drained import is_drained
from gapwise.tracking.files import naming
from gapwise.tracking.folder import RunFolder, RunRecord, folders_in
from gapwise.tracking.lock import RunLock
from gapwise.tracking.registry import Registry
from gapwise.tracking.rows import RunRow
from gapwise.tracking.stored import StoredRun
from gapwise.tracking.writer import RunWriter

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

SHORTEST_PREFIX = 6
_ID = re.compile(r"[0-9a-f]{32}")

BEST_BY = ("best_dev_error", "dev_error")
"""Metrics that ``best`` goes by, the first that a run has."""


CURVE_KIND = "curve"
"""Kind of the runs that trained on a part of the data."""

FOLDS_KIND = "folds"
"""Kind of the runs that put such parts' predictions of what they did not see together."""

SEARCH_KINDS = ("search", "round", "trial")
"""Kinds of a search's own runs: itself, its rounds and its trials, as MLflow nests them."""

PARTS = (CURVE_KIND, FOLDS_KIND, *SEARCH_KINDS)
"""Kinds that ``latest`` and ``best`` pass over."""


class RunStore:
    """The runs of one ``GAPWISE_HOME``, and those that its tracking store has from elsewhere."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: MlflowClient | None = None
        self._known = listing.known(settings.tracking_uri)

    def create(  # noqa: PLR0913 - a run's head, all by keyword
        self,
        *,
        experiment: str,
        name: str | None,
        kind: str,
        seed: int | None,
        group: str | None,
        dataset: str,
        tags: Mapping[str, str] | None = None,
        run_id: str | None = None,
    ) -> RunWriter:
        """Start a run, under an id made here or the given one; MLflow need not be there.

        Raises:
            UsageError: the name is no text.
            StorageError: ``GAPWISE_HOME`` cannot be written; names the path.
        """
        if name is not None and not _is_text(name):
            raise UsageError(
                f"a run's name is {shown(name)!r}, which is no UTF-8; write it in letters of that"
            )
        run_id = run_id or uuid.uuid4().hex
        record = RunRecord(
            run_id=run_id,
            name=name or f"{experiment}-{run_id[:SHORTEST_PREFIX]}",
            experiment=experiment,
            kind=kind,
            dataset=dataset,
            seed=seed,
            group=group,
            started=time.time_ns() // 1_000_000,
            tags=dict(tags or {}),
        )
        folder = self._folder(run_id)
        with naming(folder.path, "make"):
            folder.path.mkdir(parents=True, exist_ok=True)
        return self._write(folder, lambda: record)

    def reopen(self, ref: str) -> RunWriter:
        """Go on writing a run of this machine.

        Raises:
            BusyError: a live process writes it; names process, host and since when.
            StorageError: its folder is not here.
        """
        run_id = self.open(ref).run_id
        folder = self._folder(run_id)
        if not folder.exists():
            raise StorageError(
                f"run {run_id} has no folder {folder.path}; resume it where it was trained"
            )
        again = {"status": "RUNNING", "ended": None, "spool_sha256": ""}
        return self._write(folder, lambda: folder.read().changed(**again))

    def open(self, ref: str, experiment: str | None = None) -> StoredRun:
        """Find a run by id, unique start of an id, MLflow id, name, ``latest``, ``best`` or alias.

        ``latest~1`` is the run before the latest; ``best`` has the lowest dev error of the latest
        run's experiment, where none is named. ``MODEL@ALIAS``, or ``@ALIAS`` where one model alone
        has it, is the run that an alias of the model registry names.

        Raises:
            UsageError: no run, or more than one, is meant.
        """
        if _ID.fullmatch(ref) and (row := self._by_id(ref)):
            return self._stored(row)
        rows = self._rows(experiment)
        if "@" in ref and all(row.name != ref for row in rows):
            registry = Registry(self._connected(), self._settings.tracking_uri)
            rows, ref = self._rows(None), registry.named(ref).run_id
        return self._stored(_pick(rows, ref))

    def rows(self, experiment: str | None = None, *, parameters: bool = True) -> "pd.DataFrame":
        """Return one row a run, newest first, with columns ``metric.…`` and ``param.…``.

        Times are UTC. Runs that MLflow does not have yet are there too.

        Raises:
            StorageError, ServiceError: the tracking store cannot be read.
        """
        from gapwise.tracking.frame import frame

        return frame(self._rows(experiment), parameters=parameters)

    def experiments(self) -> list[str]:
        """Return the names of the experiments that have runs, the most recently used first."""
        return list(dict.fromkeys(row.experiment for row in self._rows(None)))

    def list_anew(self, older: float) -> None:
        """Ask a server for all runs, if that was ``older`` seconds ago: some may be gone there.

        Raises:
            ServiceError: it does not answer.
        """
        if sqlite_file(self._settings) or time.monotonic() - self._known.whole < older:
            return
        self._known.whole = time.monotonic()
        ended: dict[str, RunRow] = {}
        listing.from_search(self._connected(), self._settings.tracking_uri, ended)
        with self._known.guard:
            self._known.ended = ended

    def drain(self, run_id: str) -> None:
        """Write what MLflow lacks of a run; does nothing when it lacks nothing.

        Raises:
            ServiceError: the tracking store does not answer; everything stays in the run's folder.
        """
        folder = self._folder(run_id)
        if not is_drained(folder, self._settings):
            drain(folder, self._settings, self._connected())

    def undrained(self) -> list[str]:
        """Return the runs that have ended and that MLflow does not have whole."""
        return [
            f.path.name
            for f in folders_in(self._settings.runs)
            if f.true_status(f.read()) != "RUNNING" and not is_drained(f, self._settings)
        ]

    def _write(self, folder: RunFolder, record: Callable[[], RunRecord]) -> RunWriter:
        lock = RunLock(folder.lock)
        lock.acquire()
        try:
            return RunWriter(folder, record(), lock, self._settings)
        except BaseException:
            lock.release()
            raise

    def _stored(self, row: RunRow) -> StoredRun:
        folder = self._folder(row.run_id)
        path = folder.path if folder.exists() else None
        return StoredRun(row, path, self._connected, self._settings.cache)

    def _by_id(self, run_id: str) -> RunRow | None:
        """Return a run by its whole id without listing them all, where that can be done."""
        folder = self._folder(run_id)
        if folder.exists():
            return listing.from_folder(folder)
        if sqlite_file(self._settings) is not None:
            return None
        known = self._known.ended.get(run_id)
        return known or listing.by_id(self._connected(), self._settings.tracking_uri, run_id)

    def _rows(self, experiment: str | None) -> list[RunRow]:
        file = sqlite_file(self._settings)
        if file is None:
            uri = self._settings.tracking_uri
            with self._known.guard:
                if not self._known.ended:
                    self._known.whole = time.monotonic()
                rows = listing.from_search(self._connected(), uri, self._known.ended)
        else:
            rows = listing.kept(file)
        found = listing.merged(rows, self._settings.runs)
        return [row for row in found if experiment in (None, row.experiment)]

    def _folder(self, run_id: str) -> RunFolder:
        return RunFolder(self._settings.runs / run_id)

    def _connected(self) -> "MlflowClient":
        if self._client is None:
            self._client = connect(self._settings)
        return self._client


def _pick(rows: list[RunRow], ref: str) -> RunRow:
    if not rows:
        raise UsageError("there are no runs yet; `gapwise train PIPELINE` makes one")
    whole = [row for row in rows if row.kind not in PARTS] or rows
    if ref == "latest" or ref.startswith("latest~"):
        return _before_latest(whole, ref)
    if ref == "best":
        return _best([row for row in whole if row.experiment == whole[0].experiment])
    exact = [row for row in rows if ref in (row.run_id, row.mlflow_id, row.name)]
    prefixed = [row for row in rows if len(ref) >= SHORTEST_PREFIX and row.run_id.startswith(ref)]
    found = exact or prefixed
    if len(found) > 1:
        ids = ", ".join(row.run_id[:10] for row in found[:5])
        raise UsageError(f"{shown(ref)!r} names {len(found)} runs ({ids}, …); give an id")
    if not found:
        known = [row.name for row in rows] + ["latest", "best"]
        raise UsageError(f"there is no run {shown(ref)!r}; {did_you_mean(ref, known)}")
    return found[0]


def _before_latest(rows: list[RunRow], ref: str) -> RunRow:
    """Return the latest run, or with ``latest~2`` the one two before it, as git counts."""
    back = ref.removeprefix("latest").removeprefix("~") or "0"
    if not back.isdecimal() or int(back) >= len(rows):
        raise UsageError(f"there is no run {shown(ref)!r}; there are {len(rows)}, from latest back")
    return rows[int(back)]


def _best(rows: list[RunRow]) -> RunRow:
    judged = [(error, row) for row in rows if (error := _dev_error(row)) is not None]
    if not judged:
        raise UsageError(f"no run has a metric {BEST_BY[1]}; name a run, or train one to its end")
    return min(judged, key=lambda pair: pair[0])[1]


def _dev_error(row: RunRow) -> float | None:
    if row.status != "FINISHED":
        return None
    found = (row.metrics[name] for name in BEST_BY if name in row.metrics)
    return next((error for error in found if error == error), None)


def _is_text(name: str) -> bool:
    """Return whether a name can be written; a command line may hold bytes of another encoding."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
