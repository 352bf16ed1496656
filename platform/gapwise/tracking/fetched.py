"""A run that MLflow alone has, as a folder of its own: another machine wrote it, or another tool.

Other tools' runs keep MLflow's id as theirs, and their artifacts lie below ``files``.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from gapwise.settings import Settings
from gapwise.tracking.client import FILES_TAG, RUN_TAG, answering, connect
from gapwise.tracking.copies import put
from gapwise.tracking.drain import PARENT_TAG
from gapwise.tracking.files import naming, sha256
from gapwise.tracking.folder import LoggedDataset, LoggedFile, RunFolder, RunRecord
from gapwise.tracking.spool import Point, write_points
from gapwise.tracking.stored import StoredRun

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MADE: Final = (
    *(RUN_TAG, FILES_TAG, "gapwise.kind", "gapwise.dataset", "gapwise.seed", "gapwise.group"),
    *("gapwise.not_finite", "mlflow.runName", "mlflow.parentRunId", "mlflow.rootRunId"),
)
"""Tags that a run gets anew wherever it is written to."""

_MADE_BEGIN: Final = ("gapwise.changed.", "gapwise.digest.")

_OURS: Final = ("run.json", "spool.jsonl", "drained.json", "lock", "drain.lock", "files")
"""Names in a run's folder that no artifact may take."""


def fetch_run(
    run: StoredRun, settings: Settings, target: RunFolder, own: Mapping[str, str]
) -> bool:
    """Bring a run that has ended, whole or not at all; return whether it was brought.

    One that is there already is left, unless it went on since.

    Args:
        run: the run, which has no folder.
        settings: of the tracking store that has it.
        target: where its folder is to be.
        own: our ids of runs by MLflow's.

    Raises:
        ServiceError: MLflow does not answer.
        StorageError: the place cannot be written.
    """
    if target.exists() and (target.read().ended or 0) >= (run.ended or 0):
        return False
    draft = target.path.with_name(f".{target.path.name}.{os.getpid()}")
    client = connect(settings)
    with naming(target.path, "write"):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            with answering(settings.tracking_uri):
                found = client.get_run(run.mlflow_id)
                files = tuple(_files(client, run, draft))
                spool = RunFolder(draft).spool
                write_points(spool, _points(client, run))
            record = _record(run, found, files, sha256(spool), own)
            RunFolder(draft).write(record)
            put(draft, target.path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return True


def _record(
    run: StoredRun,
    found: Any,
    files: tuple[LoggedFile, ...],
    spool: str,
    own: Mapping[str, str],
) -> RunRecord:
    tags = {key: text for key, text in run.tags.items()
            if key not in _MADE and not key.startswith(_MADE_BEGIN)}  # fmt: skip
    parent = own.get(run.tags.get("mlflow.parentRunId", ""))
    return RunRecord(
        run_id=run.run_id,
        name=run.name,
        experiment=run.experiment,
        kind=run.kind,
        dataset=run.dataset,
        seed=run.seed,
        group=run.group,
        status=found.info.status,
        started=run.started,
        ended=run.ended,
        tags=({PARENT_TAG: parent} if parent else {}) | tags,
        parameters=run.parameters,
        metrics=run.metrics,
        files=files,
        datasets=tuple(_datasets(found, run.tags)),
        spool_sha256=spool,
    )


def _datasets(found: Any, tags: Mapping[str, str]) -> Iterator[LoggedDataset]:
    for one in found.inputs.dataset_inputs:
        name, digest = one.dataset.name, one.dataset.digest
        try:
            source = json.loads(one.dataset.source)
        except ValueError:
            source = one.dataset.source
        # MLflow keeps 36 characters of a digest.
        whole = tags.get(f"gapwise.digest.{name}", digest)
        digest = whole if whole.startswith(digest) else digest
        yield LoggedDataset(name=name, digest=digest, source=str(source))


def _points(client: "MlflowClient", run: StoredRun) -> list[Point]:
    return [
        Point(name, one.step, one.value, one.timestamp)
        for name in run.metrics
        for one in client.get_metric_history(run.mlflow_id, name)
    ]


def _files(client: "MlflowClient", run: StoredRun, folder: Path) -> Iterator[LoggedFile]:
    """Bring every artifact."""
    arrived = folder / ".arrived"
    for artifact in _artifacts(client, run.mlflow_id, ""):
        arrived.mkdir(exist_ok=True)
        got = Path(client.download_artifacts(run.mlflow_id, artifact, str(arrived)))
        place = _place(artifact, is_ours=RUN_TAG in run.tags)
        into = folder / place
        into.parent.mkdir(parents=True, exist_ok=True)
        got.replace(into)
        yield LoggedFile(path=place, artifact=artifact, sha256=sha256(into))
    shutil.rmtree(arrived, ignore_errors=True)


def _artifacts(client: "MlflowClient", mlflow_id: str, folder: str) -> Iterator[str]:
    for one in client.list_artifacts(mlflow_id, folder or None):
        if one.is_dir:
            yield from _artifacts(client, mlflow_id, one.path)
        else:
            yield one.path


def _place(artifact: str, *, is_ours: bool) -> str:
    """Return where an artifact lies in a run's folder; hidden names are drafts there."""
    parts = PurePosixPath(artifact.lstrip("/")).parts
    shown = [f"_{part[1:]}" if part.startswith(".") else part for part in parts]
    if not is_ours or shown[0] in _OURS:
        shown = ["files", *shown]
    return "/".join(shown)
