"""How far the human level can be trusted as a stand-in for Bayes error (notes 4.7)."""

from gapwise.diagnostics import words
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.rungs import ENOUGH_FOR_PROXY, proxy
from gapwise.records import Diagnosis, Finding

__all__ = ["human_level"]


def human_level(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Say when the human level rests on few answers, and what people find hard in the target."""
    found = []
    level = proxy(evidence)
    if level is not None and (level.n is None or level.n < ENOUGH_FOR_PROXY):
        answers = "an unknown number of" if level.n is None else str(level.n)
        says = (
            f"The human level of {words.percent(level.error)} rests on {answers} examples: "
            f"{ENOUGH_FOR_PROXY} or more make it a fair stand-in for Bayes error."
        )
        found.append(_finding(0.3, says, {"error": level.error, "n": level.n}))
    inherent = diagnosis.extra.get("inherent_mismatch")
    if inherent:
        size = f"{words.points(inherent['gap'])}{words.span(inherent['low'], inherent['high'])}"
        says = (
            f"People err {size} more on the target than on the training distribution: that part "
            "of the data mismatch is inherent difficulty, no fault of the training data."
        )
        found.append(_finding(0.35, says, dict(inherent)))
    return found


def _finding(severity: float, says: str, evidence: dict[str, object]) -> Finding:
    return Finding(diagnostic="human-level", severity=severity, says=says, evidence=evidence)
