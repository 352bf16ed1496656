"""Rungs that are missing, and what can therefore not be told apart."""

from gapwise.diagnostics.evidence import Evidence
from gapwise.records import Diagnosis, Finding

__all__ = ["missing_rungs"]


def missing_rungs(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Say which rungs are missing and what measuring them would show."""
    present = {rung.rung for rung in diagnosis.ladder}
    says = []
    if "human" not in present:
        says.append((_no_human(evidence), "human"))
    if "train_dev" not in present and not evidence.same_distribution:
        says.append(
            (
                "There are no train-dev examples, so variance and data mismatch cannot be told "
                "apart: set splits.train_dev (notes 4.14).",
                "train_dev",
            )
        )
    for rung in ("train", "dev"):
        if rung not in present:
            says.append((f"There are no predictions of {rung}: write them too.", rung))
    return [
        Finding(diagnostic="missing-rungs", severity=0.3, says=text, evidence={"rung": rung})
        for text, rung in says
    ]


def _no_human(evidence: Evidence) -> str:
    if evidence.human:
        return (
            "The human level was measured on the target only, so the first gap is the bias from "
            "0: measure people on the training distribution too."
        )
    return (
        "No human level is known, so the first gap is the bias from 0, more than can be avoided: "
        "let people answer 100 examples or more (notes 4.7)."
    )
