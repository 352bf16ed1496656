"""Gaps below zero are shown as they are, and said plainly (notes 4.8, 4.14)."""

from gapwise.diagnostics import words
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.findings import _combined
from gapwise.records import Diagnosis, Finding, Gap

__all__ = ["negative_gaps"]

_MEANS = {
    "variance": "the network does better on examples that it never saw, which chance, dropout or "
    "augmentation alone can hardly explain: look whether the splits are of one kind",
    "data_mismatch": "the target is easier than the training distribution",
    "field": "what it meets in use is easier than dev and test",
    "dev_overfit": "the test set is easier than the dev set, though both should be one draw",
}


def negative_gaps(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Say which gaps lie surely below zero, and what that means."""
    return [_finding(gap) for gap in diagnosis.gaps if gap.high is not None and gap.high < 0]


def _finding(gap: Gap) -> Finding:
    says = f"{_combined.sentence(_combined.subject(gap.name))} negative, {words.gap(gap)}: "
    if gap.name == "avoidable_bias":
        says += (
            "the network surpasses the human level, so human error no longer tells Bayes error, "
            "and what is left to gain here is unknown (notes 4.8); `gapwise bayes` estimates it"
        )
    else:
        says += _MEANS.get(gap.name, "the upper rung is easier than the lower one")
    evidence = {"gap": gap.name, "size": gap.gap, "low": gap.low, "high": gap.high}
    return Finding(diagnostic="negative-gaps", severity=0.4, says=f"{says}.", evidence=evidence)
