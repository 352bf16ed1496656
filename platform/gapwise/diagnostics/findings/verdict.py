"""What matters most: the verdict in one sentence, with the knobs that act on it."""

from gapwise.diagnostics import words
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.findings import _combined
from gapwise.diagnostics.knobs import knobs
from gapwise.records import Diagnosis, Finding, Gap

__all__ = ["verdict"]


def verdict(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Say the verdict, how sure it is, and what it could gain."""
    gap = next((gap for gap in diagnosis.gaps if gap.name == diagnosis.verdict), None)
    if gap is not None:
        return [_won(evidence, diagnosis, gap)]
    if diagnosis.verdict == "none":
        return [_none(diagnosis)]
    return [_undecided(diagnosis)]


def _won(evidence: Evidence, diagnosis: Diagnosis, gap: Gap) -> Finding:
    inherent = float(diagnosis.extra.get("inherent_mismatch", {}).get("gap", 0.0))
    inherent = inherent if "data_mismatch" in gap.name else 0.0
    last = diagnosis.ladder[-1]
    fixed = last.error - max(0.0, gap.gap - max(0.0, inherent))
    largest = _combined.sentence(_combined.subject(gap.name))
    says = (
        f"{largest} the largest gap: {words.gap(gap)}, with "
        f"probability {words.sure(gap.probability_largest)}; closing it fully would bring "
        f"{words.of_rung(last.rung)} error from {words.percent(last.error)} to about "
        f"{words.percent(max(0.0, fixed))}{_combined.apart(gap.name)}."
    )
    evidence_ = {"gap": gap.name, "of": diagnosis.extra.get("speaks_of")}
    return Finding(
        diagnostic="verdict",
        severity=0.8,
        says=says,
        evidence=evidence_,
        knobs=knobs(evidence, gap, inherent),
    )


def _none(diagnosis: Diagnosis) -> Finding:
    delta, sure = diagnosis.extra["delta"], diagnosis.extra["probability_none"]
    says = (
        f"No gap is as large as {words.points(delta)}, with probability {words.sure(sure)}: "
        "the ladder holds nothing more to gain; look at the metric or at the use itself."
    )
    return Finding(diagnostic="verdict", severity=0.1, says=says, evidence={"delta": delta})


def _undecided(diagnosis: Diagnosis) -> Finding:
    needs = diagnosis.needs or {}
    first = max(diagnosis.gaps, key=lambda gap: gap.probability_largest)
    says = (
        f"Undecided: {_combined.subject(first.name)} the largest gap ({words.gap(first)}) with "
        f"probability {words.sure(first.probability_largest)} only; {needs.get('why', '')}."
    )
    return Finding(diagnostic="verdict", severity=0.7, says=says, evidence=dict(needs))
