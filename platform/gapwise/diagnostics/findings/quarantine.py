"""Examples that were set aside while reading."""

from gapwise.diagnostics.evidence import Evidence
from gapwise.records import Diagnosis, Finding

__all__ = ["quarantine"]


def quarantine(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Say how many examples were set aside."""
    count = evidence.quarantined
    if not count:
        return []
    says = (
        f"{count:,} {'example was' if count == 1 else 'examples were'} set aside as unreadable or "
        "wrong and count nowhere: the run's quarantine.jsonl names each with its reason."
    )
    return [
        Finding(diagnostic="quarantine", severity=0.5, says=says, evidence={"quarantined": count})
    ]
