"""The job that a run was made by, kept with it as ``job.json``."""

import json
from dataclasses import asdict
from pathlib import Path

from gapwise.errors import StorageError
from gapwise.records import Job, NumericPlan, plain

NAME = "job.json"


def write_job(folder: Path, job: Job) -> None:
    """Keep ``job`` in the run's folder; files of the run are written relative to that."""
    relative = {
        name: Path(path).relative_to(folder).as_posix()
        for name, path in (("folder", job.folder), ("start", job.start))
        if path
    }
    document = plain(asdict(job)) | relative
    (folder / NAME).write_text(json.dumps(document, indent=1), encoding="utf-8")


def read_job(folder: Path) -> Job:
    """Read the job of the run whose folder this is.

    Raises:
        StorageError: there is none.
    """
    try:
        document = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StorageError(
            f"{folder / NAME} is missing: the run stopped before its training began, or it was "
            "recorded or averaged and has no network; train anew"
        ) from error
    plan = NumericPlan(**document.pop("plan"))
    for name in ("folder", "start"):
        if document.get(name):
            document[name] = str(folder / document[name])
    return Job(plan=plan, **document)
