"""What MLflow acknowledged of a run, as ``drained.json`` in the run's folder keeps it."""

from dataclasses import dataclass, field
from typing import Any

from gapwise.settings import Settings
from gapwise.tracking.client import public
from gapwise.tracking.files import read_json
from gapwise.tracking.folder import RunFolder

BATCH = 1000
"""Points in one request: MLflow's limit."""


@dataclass
class Drained:
    """What MLflow acknowledged of one run.

    Attributes:
        offset: in bytes of the spool.
        points: how many the next request takes at most.
        refusals: how often it was not answered.
        unsure: what is known of the batch that was not answered: its last point, and what is noted
            when it turns out to have arrived.
    """

    uri: str
    mlflow_id: str = ""
    artifact_uri: str = ""
    offset: int = 0
    points: int = BATCH
    refusals: int = 0
    unsure: dict[str, Any] = field(default_factory=dict)
    status: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    datasets: list[str] = field(default_factory=list)
    not_finite: dict[str, str] = field(default_factory=dict)


def read_drained(folder: RunFolder, settings: Settings) -> Drained:
    """Read what this tracking store has of the run; nothing, when it is another store's word."""
    if folder.drained.exists():
        document = read_json(folder.drained)
        if document.get("uri") == public(settings.tracking_uri):
            return Drained(**document)
    return Drained(uri=public(settings.tracking_uri))


def is_drained(folder: RunFolder, settings: Settings) -> bool:
    """Whether MLflow has the whole of a run that has ended."""
    return read_drained(folder, settings).status == folder.true_status(folder.read()) != "RUNNING"
