"""A run's folder, the truth of the run: ``run.json`` and the names of the files beside it."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from gapwise.errors import StorageError
from gapwise.records import SPLITS
from gapwise.seal import holds, sealed, unsealed
from gapwise.tracking import lock
from gapwise.tracking.files import read_json, write_json

READ_FILES: Final = (
    "pipeline.yaml",
    "job.json",
    *(f"predictions/{split}.parquet" for split in SPLITS),
)
"""Artifacts of a run that Gapwise reads again, also from another machine."""

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True, kw_only=True)
class LoggedFile:
    """A file that belongs to the run: where it lies in the folder and its artifact path."""

    path: str
    artifact: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class LoggedDataset:
    """What the run was made from."""

    name: str
    digest: str
    source: str


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What ``run.json`` holds; times in milliseconds since 1970.

    Attributes:
        metrics: last values, written when the run ends so that a list of runs need not read spools.
        spool_sha256: of the metric points, once the run has ended.
    """

    run_id: str
    name: str
    experiment: str
    kind: str
    dataset: str
    seed: int | None = None
    group: str | None = None
    status: Status = "RUNNING"
    started: int = 0
    ended: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    files: tuple[LoggedFile, ...] = ()
    datasets: tuple[LoggedDataset, ...] = ()
    spool_sha256: str = ""

    def changed(self, **values: Any) -> "RunRecord":
        """Return a copy with some values replaced."""
        return replace(self, **values)


@dataclass(frozen=True)
class RunFolder:
    """The files of one run by name."""

    path: Path

    @property
    def spool(self) -> Path:
        """Metric points."""
        return self.path / "spool.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the live trainer."""
        return self.path / "lock"

    @property
    def drain_lock(self) -> Path:
        """Held by whoever writes this run to MLflow."""
        return self.path / "drain.lock"

    @property
    def drained(self) -> Path:
        """How much of the run MLflow has."""
        return self.path / "drained.json"

    @cached_property
    def _record_path(self) -> Path:
        return self.path / "run.json"

    def exists(self) -> bool:
        """Whether there is a run here."""
        return self._record_path.is_file()

    def written(self) -> float:
        """Return when ``run.json`` was last written, in milliseconds since 1970; 0 without it."""
        try:
            return self._record_path.stat().st_mtime * 1000
        except OSError:
            return 0.0

    def read(self) -> RunRecord:
        """Read ``run.json``.

        Raises:
            StorageError: it is missing or damaged.
        """
        document = read_json(self._record_path)
        try:
            if not holds(document):
                raise KeyError("it does not match its seal")
            document = unsealed(document)
            files = tuple(LoggedFile(**file) for file in document.pop("files"))
            datasets = tuple(LoggedDataset(**dataset) for dataset in document.pop("datasets"))
            return RunRecord(**document, files=files, datasets=datasets)
        except (TypeError, KeyError, AttributeError) as error:
            raise StorageError(
                f"{self._record_path} is damaged ({error}); restore it from a backup"
            ) from error

    def write(self, record: RunRecord) -> None:
        """Write ``run.json``, whole or not at all."""
        write_json(self._record_path, sealed(asdict(record)))

    def true_status(self, record: RunRecord) -> Status:
        """Return the status that holds: RUNNING without a live trainer is KILLED (fault row K2)."""
        if record.status == "RUNNING" and not lock.is_held(self.lock):
            return "KILLED"
        return record.status

    def last_sign_of_life(self) -> int:
        """Return when the run's trainer last wrote anything, in milliseconds since 1970."""
        files = [file for file in (self.spool, self.lock) if file.exists()]
        seconds = max((file.stat().st_mtime for file in files), default=time.time())
        return int(seconds * 1000)


def folders_in(runs: Path) -> list[RunFolder]:
    """Return the folders of the runs that lie in a folder; copies that come or go are none."""
    names = sorted(path.name for path in runs.iterdir()) if runs.is_dir() else []
    found = [RunFolder(runs / name) for name in names if not name.startswith(".")]
    return [folder for folder in found if folder.exists()]
