"""The prepared data that a run was trained on, where this machine has it.

Prepared data is named by what it holds: what another machine trained on lies here under the same
name, once this one has prepared it too (`gapwise data PIPELINE`).
"""

import json
from pathlib import Path

from gapwise.data import load
from gapwise.errors import GapwiseError
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import job_file


def folder_of(run: StoredRun) -> Path | None:
    """Return the folder of a run's data, which may be gone; None where the run names none."""
    if not run.has(job_file.NAME):
        return None
    try:
        job = json.loads(run.artifact(job_file.NAME).read_text(encoding="utf-8"))
        named = Path(str(job["data"]))
    except (GapwiseError, OSError, ValueError, KeyError):
        return None
    return named if named.is_dir() else load.folder_of(run.cache, named.name)
