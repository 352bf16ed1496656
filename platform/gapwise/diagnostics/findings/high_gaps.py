"""Every gap that is high, though another may be larger (notes 3.2: 15 / 30 is both)."""

from gapwise.diagnostics import words
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.findings import _combined
from gapwise.diagnostics.knobs import knobs
from gapwise.records import Diagnosis, Finding, Gap

__all__ = ["high_gaps"]


def high_gaps(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Name every high gap but the verdict, which has a finding of its own."""
    high = [gap for gap in diagnosis.gaps if gap.is_high and gap.name != diagnosis.verdict]
    return [_finding(evidence, diagnosis, gap) for gap in high]


def _finding(evidence: Evidence, diagnosis: Diagnosis, gap: Gap) -> Finding:
    delta = words.points(diagnosis.extra["delta"])
    sure = words.sure(gap.probability_high or 0.0)
    name = _combined.sentence(_combined.subject(gap.name))
    says = f"{name} high: {words.gap(gap)}, above {delta} with probability {sure}"
    if "bias" in gap.name.split("+"):
        says += " when measured from 0; how much of it can be avoided only a human level tells"
    says += _combined.apart(gap.name)
    inherent = diagnosis.extra.get("inherent_mismatch", {}).get("gap", 0.0)
    return Finding(
        diagnostic="high-gaps",
        severity=0.5 + 0.1 * min(1.0, max(0.0, gap.gap)),
        says=f"{says}.",
        evidence={"gap": gap.name, "size": gap.gap, "low": gap.low, "high": gap.high},
        knobs=knobs(evidence, gap, inherent if "data_mismatch" in gap.name else 0.0),
    )
