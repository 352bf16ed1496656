"""How far the human level can be trusted as a stand-in for Bayes error (notes 4.7)."""

from gapwise.diagnostics import words
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.rungs import ENOUGH_FOR_PROXY, proxy
from gapwise.records import Diagnosis, Finding, HumanLevel

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
    if level is not None:
        found += _chosen(evidence, level)
    inherent = diagnosis.extra.get("inherent_mismatch")
    if inherent:
        size = f"{words.points(inherent['gap'])}{words.span(inherent['low'], inherent['high'])}"
        says = (
            f"People err {size} more on the target than on the training distribution: that part "
            "of the data mismatch is inherent difficulty, no fault of the training data."
        )
        found.append(_finding(0.35, says, dict(inherent)))
    return found


def _chosen(evidence: Evidence, level: HumanLevel) -> list[Finding]:
    """Say which of several levels stands for Bayes error, and that the lowest flatters people."""
    alike = [h for h in evidence.human if h.distribution == level.distribution]
    if len(alike) < 2:
        return []
    rivals = [h for h in alike if h is not level and h.n is not None and h.n >= ENOUGH_FOR_PROXY]
    passed = [h for h in alike if h.error < level.error]
    says = f"{_called(level)} stands for Bayes error: the lowest of {len(alike)} human levels"
    says += f" on {ENOUGH_FOR_PROXY} examples or more." if passed or rivals else "."
    if passed:
        lower = min(passed, key=lambda h: h.error)
        says += f" {_called(lower)} is lower, but rests on too few examples."
    says += " Choosing the lowest is itself a little optimistic, so avoidable bias may be less."
    return [_finding(0.15, says, {"levels": len(alike), "error": level.error, "n": level.n})]


def _called(level: HumanLevel) -> str:
    size = f"{words.percent(level.error)}, n = {'unknown' if level.n is None else f'{level.n:,}'}"
    return f"The human level {level.name} ({size})" if level.name else f"The human level of {size}"


def _finding(severity: float, says: str, evidence: dict[str, object]) -> Finding:
    return Finding(diagnostic="human-level", severity=severity, says=says, evidence=evidence)
