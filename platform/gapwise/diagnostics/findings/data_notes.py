"""What a reader of the ladder must know of this data."""

from gapwise.diagnostics.evidence import Evidence
from gapwise.records import Diagnosis, Finding

__all__ = ["data_notes"]


def data_notes(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Repeat the notes that came with the data, one finding each."""
    return [Finding(diagnostic="data-notes", severity=0.15, says=note) for note in evidence.notes]
