"""Looks at the test set: each one wears it, so each is counted and shown."""

from gapwise.diagnostics.evidence import Evidence
from gapwise.records import Diagnosis, Finding

__all__ = ["looks"]


def looks(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Say how often the test set was looked at, whether or not it is shown now."""
    count = evidence.looks
    if not count:
        return []
    says = f"The test set has been looked at {'once' if count == 1 else f'{count} times'}."
    if count > 1:
        says += " Each look that changes a decision makes its error a little too good."
    return [Finding(diagnostic="looks", severity=0.2, says=says, evidence={"looks": count})]
