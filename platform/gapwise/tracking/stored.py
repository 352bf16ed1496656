"""Read one run: from its folder where that is at hand, else from MLflow."""

import tempfile
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gapwise.errors import DataError, StorageError
from gapwise.records import SPLITS
from gapwise.tracking import spool
from gapwise.tracking.client import FILES_TAG, answering
from gapwise.tracking.files import naming
from gapwise.tracking.folder import RunFolder
from gapwise.tracking.rows import RunRow

if TYPE_CHECKING:
    from mlflow import MlflowClient

MEMBERS_TAG = "gapwise.members"
"""The runs that an ensemble averages, by commas."""

LISTED: Final = 300.0
"""Seconds for which the files of a run that has ended are not asked for again."""

_LISTED: Final[dict[tuple[str, int | None], tuple[float, frozenset[str]]]] = {}

History = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


class StoredRun:
    """One run as it stands; nothing here changes it."""

    def __init__(
        self, row: RunRow, folder: Path | None, client: Callable[[], "MlflowClient"], cache: Path
    ) -> None:
        """Show ``row``; ``client`` is called only for what the folder does not have."""
        self._row = row
        self._client = client
        self.cache = cache
        self.folder = folder

    @property
    def run_id(self) -> str:
        """The run's own id (MLflow's, where another tool made the run)."""
        return self._row.run_id

    @property
    def mlflow_id(self) -> str:
        """MLflow's id, "" while MLflow does not have the run."""
        return self._row.mlflow_id

    @property
    def name(self) -> str:
        """The run's name."""
        return self._row.name

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return self._row.experiment

    @property
    def kind(self) -> str:
        """What made it: train, record, …."""
        return self._row.kind

    @property
    def status(self) -> str:
        """RUNNING only while a live process holds the run; else FINISHED, FAILED or KILLED."""
        return self._row.status

    @property
    def seed(self) -> int | None:
        """The seed."""
        return self._row.seed

    @property
    def group(self) -> str | None:
        """The group of runs that differ in their seed alone."""
        return self._row.group or None

    @property
    def dataset(self) -> str:
        """The dataset's name: with an example's id, its key in the ledger."""
        return self._row.dataset

    @property
    def started(self) -> int:
        """Milliseconds since 1970."""
        return self._row.started

    @property
    def ended(self) -> int | None:
        """Milliseconds since 1970; None while it runs, or when it was killed."""
        return self._row.ended

    @property
    def tags(self) -> Mapping[str, str]:
        """Tags."""
        return self._row.tags

    @property
    def members(self) -> tuple[str, ...]:
        """The runs that this one is made of (an ensemble, two steps), by id; else none."""
        return tuple(filter(None, self.tags.get(MEMBERS_TAG, "").split(",")))

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Parameters by dotted key."""
        return self._row.parameters

    @property
    def metrics(self) -> Mapping[str, float]:
        """Each metric's value at its highest step."""
        return self._row.metrics

    def history(self, metric: str) -> History:
        """Return steps, values and seconds since 1970 of one metric, by step; NaN and Inf kept."""
        if self.folder is not None:
            points = spool.history(RunFolder(self.folder).spool, metric)
            found = [(point.step, point.value, point.ms) for point in points]
        else:
            with answering("MLflow"):
                metrics = self._client().get_metric_history(self.mlflow_id, metric)
            found = sorted((m.step, m.value, m.timestamp) for m in metrics)
        steps, values, ms = zip(*found, strict=True) if found else ((), (), ())
        seconds = np.array(ms, np.float64) / 1000
        return np.array(steps, np.int64), np.array(values, np.float64), seconds

    def artifact(self, path: str) -> Path:
        """Return a file of the run on this machine, fetched from MLflow where it must be.

        Raises:
            StorageError: the run has no such file.
            ServiceError: MLflow does not answer.
        """
        local = self._local(path)
        if local is not None:
            return local
        if self.folder is not None or not self.mlflow_id:
            raise StorageError(
                f"run {self.run_id} has no file {path!r}; what it has stands in "
                f"{self.folder or 'no folder here, and MLflow does not know it'}"
            )
        kept = self.cache / "artifacts" / f"{self.mlflow_id}-{self.ended or 0}" / path
        if self.ended is None or not kept.is_file():
            self._fetch(path, kept)
        return kept

    def _fetch(self, path: str, kept: Path) -> None:
        """Bring a file here whole: others read it as soon as it is there."""
        with naming(kept.parent, "make"):
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".") as folder:
                with answering("MLflow"):
                    got = self._client().download_artifacts(self.mlflow_id, path, folder)
                Path(got).replace(kept)

    def predictions_path(self, split: str) -> Path | None:
        """Return the predictions of a split, None when the run has none."""
        return self.artifact(f"predictions/{split}.parquet") if split in self.splits() else None

    def needed_predictions(self, split: str) -> Path:
        """Return the predictions of a split.

        Raises:
            DataError: the run has none.
        """
        path = self.predictions_path(split)
        if path is None:
            known = ", ".join(self.splits()) or "none"
            raise DataError(
                f"run {self.run_id} ({self.name}) has no predictions of {split!r}; it has: {known}"
            )
        return path

    def splits(self) -> list[str]:
        """Return the splits that there are predictions of, in the ladder's order."""
        return [split for split in SPLITS if self.has(f"predictions/{split}.parquet")]

    def pipeline(self) -> dict[str, Any] | None:
        """Return the resolved pipeline as plain values, None when the run has none."""
        if not self.has("pipeline.yaml"):
            return None
        return deepcopy(_parsed(self.artifact("pipeline.yaml").read_text(encoding="utf-8")))

    def has(self, path: str) -> bool:
        """Whether the run has one of the files that Gapwise reads: predictions, pipeline, job."""
        if self.folder is None:
            return path in self._elsewhere
        return path in self._artifacts or self._local(path) is not None

    @cached_property
    def _elsewhere(self) -> frozenset[str]:
        """What MLflow has of a run that has no folder here; other tools' runs are asked for it."""
        if told := self.tags.get(FILES_TAG):
            return frozenset(told.split(","))
        key, now = (self.mlflow_id, self.ended), time.monotonic()
        if self.ended is None or key not in _LISTED or now - _LISTED[key][0] > LISTED:
            _LISTED[key] = (now, self._listed())
        return _LISTED[key][1]

    def _listed(self) -> frozenset[str]:
        with answering("MLflow"):
            top = self._client().list_artifacts(self.mlflow_id)
            names = [file.path for file in top]
            if "predictions" in names:
                names += [
                    f.path for f in self._client().list_artifacts(self.mlflow_id, "predictions")
                ]
        return frozenset(names)

    @cached_property
    def _artifacts(self) -> dict[str, str]:
        if self.folder is None:
            return {}
        return {file.artifact: file.path for file in RunFolder(self.folder).read().files}

    def _local(self, path: str) -> Path | None:
        if self.folder is None:
            return None
        known = self._artifacts.get(path, path)
        found = (self.folder / known).resolve()
        inside = found.is_relative_to(self.folder.resolve())
        return found if inside and found.is_file() else None


@lru_cache(maxsize=64)
def _parsed(pipeline: str) -> dict[str, Any]:
    # Pages ask for one pipeline many times, and reading it takes 20 ms.
    from ruamel.yaml import YAML

    return dict(YAML(typ="safe", pure=True).load(pipeline))
