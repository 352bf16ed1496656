"""Rungs with so few examples that their error says little."""

from gapwise.diagnostics import words
from gapwise.diagnostics.evidence import Evidence
from gapwise.records import Diagnosis, Finding, Rung

__all__ = ["small_samples"]

FEW = 30
FEW_GROUPS = 10


def small_samples(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Name rungs with fewer than 30 examples, fewer than 10 groups, or no interval at all."""
    found = [_few(rung, rung.n) for rung in diagnosis.ladder if rung.n and rung.n < FEW]
    for rung in diagnosis.ladder:
        runs = evidence.splits.get(rung.rung, ())
        groups = runs[0].groups if runs else None
        if rung.why:
            says = f"{words.of_rung(rung.rung).capitalize()} has no interval: {rung.why}."
            found.append(_finding(says, {"rung": rung.rung}))
        elif groups is not None and groups < FEW_GROUPS:
            says = (
                f"{words.of_rung(rung.rung).capitalize()} has {groups} groups only: its interval "
                "is a rough one."
            )
            found.append(_finding(says, {"rung": rung.rung, "groups": groups}))
    return found


def _few(rung: Rung, n: int) -> Finding:
    noun = "example" if n == 1 else "examples"
    says = (
        f"{words.of_rung(rung.rung).capitalize()} has {n} {noun} only, fewer than {FEW}: its "
        "error says little."
    )
    return _finding(says, {"rung": rung.rung, "n": n})


def _finding(says: str, evidence: dict[str, object]) -> Finding:
    return Finding(diagnostic="small-samples", severity=0.45, says=says, evidence=evidence)
