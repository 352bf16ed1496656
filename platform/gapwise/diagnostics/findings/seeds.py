"""Whether the ladder speaks of one run or of the pipeline, and on how many seeds."""

from gapwise.diagnostics.evidence import FEW_SEEDS, Evidence
from gapwise.records import Diagnosis, Finding

__all__ = ["seeds"]


def seeds(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Say whom the intervals speak of; fewer than 5 seeds are marked."""
    count = evidence.seeds
    if count == 1:
        says = (
            "The intervals speak of this one run: another seed may land elsewhere, which "
            "train --seeds shows."
        )
        return [Finding(diagnostic="seeds", severity=0.1, says=says, evidence={"seeds": 1})]
    says = f"The intervals speak of the pipeline: {count} seeds and the examples were resampled."
    few = count < FEW_SEEDS
    if few:
        says += f" Fewer than {FEW_SEEDS} seeds show their own spread but roughly."
    return [
        Finding(
            diagnostic="seeds",
            severity=0.3 if few else 0.1,
            says=says,
            evidence={"seeds": count, "few": few},
        )
    ]
