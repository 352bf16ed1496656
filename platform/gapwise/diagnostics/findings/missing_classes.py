"""Classes that a split does not hold: their error there is not defined, never 0."""

from collections.abc import Sequence

from gapwise.diagnostics import words
from gapwise.diagnostics.evidence import Evidence
from gapwise.errors import shown
from gapwise.records import Diagnosis, Finding

__all__ = ["missing_classes"]

_NAMED = 5


def missing_classes(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Name the classes that a shown split lacks, and splits of one class only."""
    known = set(evidence.classes)
    for rung in diagnosis.ladder:
        for run in evidence.splits.get(rung.rung, ()):
            known |= run.by_class.keys()
    held_by = [set(runs[0].by_class) for runs in evidence.splits.values() if runs]
    if _apart(held_by):
        return []  # people, say, of whom nobody stands in two splits: the data's note says so
    found = []
    for rung in diagnosis.ladder:
        runs = evidence.splits.get(rung.rung, ())
        held = runs[0].by_class if runs else {}
        missing = sorted(known - held.keys()) if held else []
        if missing:
            found.append(_finding(rung.rung, missing, len(held)))
    return found


def _apart(held_by: Sequence[set[str]]) -> bool:
    """Return whether no class stands in two splits."""
    several = [held for held in held_by if len(held) > 1]
    return len(several) > 1 and sum(map(len, several)) == len(set().union(*several))


def _finding(rung: str, missing: list[str], held: int) -> Finding:
    names = [shown(name, 30) for name in missing[:_NAMED]]
    if len(missing) > _NAMED:
        names.append(f"{len(missing) - _NAMED} more")
    noun = "class" if len(missing) == 1 else "classes"
    only = ", but of one class only" * (held == 1)
    says = (
        f"{words.of_rung(rung).capitalize()} has no example of {noun} {words.listed(names)}{only}: "
        "the error there is not defined."
    )
    evidence = {"rung": rung, "classes": missing}
    return Finding(diagnostic="missing-classes", severity=0.55, says=says, evidence=evidence)
