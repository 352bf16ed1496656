"""Examples that judge and were trained on: a fault of the data, which outranks every gap."""

from gapwise.diagnostics import words
from gapwise.diagnostics.data_faults import Leak
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.knobs import knobs_of
from gapwise.records import DATA_FAULT, Diagnosis, Finding

__all__ = ["leaks"]

MATTERS = 0.01
"""A leak of this share of a split can move its error by as much as a gap counts."""


def leaks(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Name the splits of which examples stand in train too."""
    shown = {rung.rung for rung in diagnosis.ladder}
    return [
        _finding(evidence, split, leak) for split, leak in evidence.leaks.items() if split in shown
    ]


def _finding(evidence: Evidence, split: str, leak: Leak) -> Finding:
    count, name = leak.equal + leak.nearly, words.of_rung(split)
    kinds = {"equal": leak.equal, "nearly equal": leak.nearly}
    told = words.listed([f"{n:,} {kind}" for kind, n in kinds.items() if n])
    matters = count / leak.n >= MATTERS
    says = (
        f"{count:,} of {leak.n:,} {name} examples ({words.percent(count / leak.n)}) stand in train "
        f"too ({told}): the network has seen their answers"
    )
    if leak.unseen is not None:
        says += (
            f", and errs on {words.percent(leak.seen)} of them, on {words.percent(leak.unseen)} "
            "of the others"
        )
    return Finding(
        diagnostic="leaks",
        severity=DATA_FAULT + 0.05 if matters else 0.25,
        says=f"{says}. Take them out of train, then diagnose again." if matters else f"{says}.",
        evidence={
            "split": split,
            "equal": leak.equal,
            "nearly": leak.nearly,
            "n": leak.n,
            "error_seen": leak.seen,
            "error_unseen": leak.unseen,
        },
        knobs=knobs_of(evidence, ["leak"]) if matters else (),
    )
