"""Write a run to MLflow from its folder, as often as one likes: nothing is there twice.

``drained.json`` holds what MLflow acknowledged. Whatever was sent without an answer is sent again:
points carry their first time and value, so MLflow's own key absorbs them; parameters, tags, inputs
and files are set, not added (DESIGN: Tracking spool).
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from gapwise.settings import Settings
from gapwise.tracking.client import FILES_TAG, RUN_TAG, answering, experiment_id
from gapwise.tracking.drained import BATCH, read_drained
from gapwise.tracking.files import link, write_json
from gapwise.tracking.folder import READ_FILES, LoggedFile, RunFolder, RunRecord
from gapwise.tracking.lock import RunLock
from gapwise.tracking.parameters import encode, short
from gapwise.tracking.spool import Point, lines

if TYPE_CHECKING:
    from mlflow import MlflowClient

FEWEST = 20
"""Points in one request to a server that did not answer larger ones."""

FEW = 100
"""Parameters, or tags, in one request: MLflow's limit."""

PARENT_TAG = "gapwise.parent"
"""The run that a run is part of, as a trial is of a round."""

WAIT = 20.0
"""Seconds to wait for somebody else who drains the same run."""


def drain(folder: RunFolder, settings: Settings, client: "MlflowClient") -> None:
    """Write everything that MLflow does not have yet.

    Raises:
        ServiceError: the store does not answer; what it acknowledged is noted.
        StorageError: the run's folder is damaged or cannot be written.
    """
    lock = RunLock(folder.drain_lock)
    lock.acquire(WAIT)
    try:
        with answering(settings.tracking_uri):
            _Drain(folder, settings, client).run()
    finally:
        lock.release()


class _Drain:
    """One pass over one run, under its drain lock."""

    def __init__(self, folder: RunFolder, settings: Settings, client: "MlflowClient") -> None:
        self.folder = folder
        self.settings = settings
        self.client = client
        self.record = folder.read()
        self.state = read_drained(folder, settings)

    def run(self) -> None:
        status = self.folder.true_status(self.record)
        self._find_or_create()
        if status == "RUNNING":
            self._send_status(status)
        self._send_parameters()
        self._send_datasets()
        self._send_points()
        self._send_tags(_tags(self.record) | self._not_finite_tag() | self._parent_tag())
        self._send_files()
        self._send_tags(self._files_tag())
        if status != "RUNNING":
            self._send_status(status)

    def _send_status(self, status: str) -> None:
        if self.state.status == status:
            return
        # Sent without an answer, it may hold or not: what was acknowledged before no longer counts.
        self._note(status="")
        if status == "RUNNING":
            self.client.update_run(self.state.mlflow_id, status=status)
        else:
            ended = self.record.ended or self.folder.last_sign_of_life()
            self.client.set_terminated(self.state.mlflow_id, status=status, end_time=ended)
        self._note(status=status)

    def _note(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.state, name, value)
        write_json(self.folder.drained, asdict(self.state))

    def _find_or_create(self) -> None:
        if self.state.mlflow_id:
            return
        experiment = experiment_id(self.client, self.record.experiment, self.settings)
        found = self.client.search_runs(
            [experiment], filter_string=f"tags.`{RUN_TAG}` = '{self.record.run_id}'", max_results=1
        )
        run = found[0] if found else self._fetched(experiment) or self._create(experiment)
        self._note(mlflow_id=run.info.run_id, artifact_uri=run.info.artifact_uri)

    def _fetched(self, experiment: str) -> Any:
        """Return the run of another tool that was fetched from this store and is still there."""
        from mlflow.exceptions import MlflowException

        if self.record.kind:
            return None
        try:
            run = self.client.get_run(self.record.run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return run if run.info.experiment_id == experiment else None

    def _create(self, experiment: str) -> Any:
        return self.client.create_run(
            experiment,
            start_time=self.record.started,
            tags={RUN_TAG: self.record.run_id},
            run_name=self.record.name,
        )

    def _send_parameters(self) -> None:
        from mlflow.entities import Param

        wanted = {key: short(encode(value)) for key, value in self.record.parameters.items()}
        fresh = {key: text for key, text in wanted.items() if key not in self.state.parameters}
        for part in _parts(fresh):
            params = [Param(key, text) for key, text in part.items()]
            self.client.log_batch(self.state.mlflow_id, params=params)
            self._note(parameters=self.state.parameters | part)
        # MLflow's parameters never change; one that a resumed run changed is told by a tag.
        self._send_tags({f"gapwise.changed.{key}": text for key, text in wanted.items()
                         if self.state.parameters[key] != text})  # fmt: skip

    def _send_tags(self, wanted: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        fresh = {key: text for key, text in wanted.items() if self.state.tags.get(key) != text}
        for part in _parts(fresh):
            tags = [RunTag(key, short(text)) for key, text in part.items()]
            self.client.log_batch(self.state.mlflow_id, tags=tags)
            self._note(tags=self.state.tags | part)

    def _parent_tag(self) -> dict[str, str]:
        """Name the run that this one is part of by MLflow's own id; it is sent first."""
        parent = self.record.tags.get(PARENT_TAG)
        if not parent:
            return {}
        folder = RunFolder(self.folder.path.with_name(parent))
        known = read_drained(folder, self.settings).mlflow_id
        if not known and folder.exists():
            drain(folder, self.settings, self.client)
            known = read_drained(folder, self.settings).mlflow_id
        return {"mlflow.parentRunId": known} if known else {}

    def _send_datasets(self) -> None:
        from mlflow.entities import Dataset, DatasetInput

        fresh = [d for d in self.record.datasets if d.digest not in self.state.datasets]
        if fresh:
            inputs = [
                DatasetInput(Dataset(d.name, d.digest[:36], "local", json.dumps(d.source)))
                for d in fresh
            ]
            self.client.log_inputs(self.state.mlflow_id, inputs)
            self._note(datasets=[*self.state.datasets, *(d.digest for d in fresh)])

    def _send_points(self) -> None:
        from mlflow.entities import Metric

        self._settle()
        for end, batch in self._batches():
            odd = {p.metric: f"{p.value} at step {p.step}" for p in reversed(batch)
                   if not math.isfinite(p.value)}  # fmt: skip
            there = {"offset": end, "not_finite": odd | self.state.not_finite}
            metrics = [Metric(p.metric, _finite(p.value), p.ms, p.step) for p in batch]
            try:
                self.client.log_batch(self.state.mlflow_id, metrics=metrics)
            except Exception:
                self._note_refusal(batch[-1], there)
                raise
            self._note_arrived(there)

    def _note_arrived(self, there: Mapping[str, Any]) -> None:
        points = min(BATCH, 2 * self.state.points)
        self._note(**there, points=points, refusals=0, unsure={})

    def _note_refusal(self, last: Point, there: Mapping[str, Any]) -> None:
        """Send fewer points where the same ones were refused before.

        For points that it may have already MLflow looks through the run's whole history, one by
        one: with fewer of them that ends before its client's patience does.
        """
        again = self.state.refusals > 0
        points = max(FEWEST, self.state.points // 4) if again else self.state.points
        unsure = {"metric": last.metric, "step": last.step, "ms": last.ms, "there": dict(there)}
        self._note(points=points, refusals=self.state.refusals + 1, unsure=unsure)

    def _settle(self) -> None:
        """Find out whether the batch that was not answered arrived: its last point tells.

        MLflow keeps points in their order. Where that one is no longer its metric's latest, the
        batch is sent again.
        """
        last = self.state.unsure
        if not last:
            return
        latest = self.client.get_run(self.state.mlflow_id).data.to_proto().metrics
        if (last["metric"], last["step"], last["ms"]) in {
            (one.key, one.step, one.timestamp) for one in latest
        }:
            self._note_arrived(last["there"])

    def _batches(self) -> Iterator[tuple[int, list[Point]]]:
        """Give the points that MLflow lacks, and the offset that is reached with each batch."""
        batch: list[Point] = []
        end = self.state.offset
        for line_end, points in lines(self.folder.spool, end):
            most = self.state.points
            if batch and len(batch) + len(points) > most:
                yield end, batch
                batch = []
            while len(points) > most:
                # The offset stays before this line, which is sent again whole after a failure.
                yield end, points[:most]
                points = points[most:]
            batch += points
            end = line_end
        if batch:
            yield end, batch

    def _not_finite_tag(self) -> dict[str, str]:
        odd = self.state.not_finite
        return {"gapwise.not_finite": json.dumps(odd)} if odd else {}

    def _files_tag(self) -> dict[str, str]:
        """Tell which files are there, so that nobody has to ask for them run by run."""
        there = [name for name in READ_FILES if name in self.state.files]
        return {FILES_TAG: ",".join(there)} if there else {}

    def _send_files(self) -> None:
        for file in self.record.files:
            path = self.folder.path / file.path
            if self.state.files.get(file.artifact) != file.sha256 and path.is_file():
                self._send_file(file, path)
                self._note(files=self.state.files | {file.artifact: file.sha256})

    def _send_file(self, file: LoggedFile, path: Path) -> None:
        if self.state.artifact_uri.startswith("file:"):
            target = Path(unquote(urlsplit(self.state.artifact_uri).path)) / file.artifact
            link(path, target)
        else:
            folder = file.artifact.rpartition("/")[0]
            self.client.log_artifact(self.state.mlflow_id, str(path), folder or None)
            self._require_whole(file, folder, path.stat().st_size)

    def _require_whole(self, file: LoggedFile, folder: str, size: int) -> None:
        """Ask how much of a file arrived: an upload that was cut can be answered with success."""
        there = self.client.list_artifacts(self.state.mlflow_id, folder or None)
        found = next((one.file_size or 0 for one in there if one.path == file.artifact), 0)
        if found != size:
            raise ConnectionError(f"of {file.artifact} {found:,} of {size:,} bytes arrived")


def _tags(record: RunRecord) -> dict[str, str]:
    tags = {
        RUN_TAG: record.run_id,
        "gapwise.kind": record.kind,
        "gapwise.dataset": record.dataset,
        "gapwise.seed": "" if record.seed is None else str(record.seed),
        "gapwise.group": record.group or "",
    }
    tags |= {f"gapwise.digest.{d.name}": d.digest for d in record.datasets}
    return {key: text for key, text in (tags | dict(record.tags)).items() if text}


def _parts(values: Mapping[str, str]) -> Iterator[dict[str, str]]:
    items = list(values.items())
    for start in range(0, len(items), FEW):
        yield dict(items[start : start + FEW])


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
