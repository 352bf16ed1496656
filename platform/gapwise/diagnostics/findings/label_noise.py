"""Labels that are probably wrong: a fault of the data, which outranks every gap (notes 4.11)."""

from gapwise.diagnostics import words
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.knobs import knobs_of
from gapwise.records import DATA_FAULT, Diagnosis, Finding
from gapwise.statistics.label_noise import HONEST, Disputed

__all__ = ["label_noise"]


def label_noise(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Name the splits of which more labels are disputed than honest mistakes explain."""
    shown = {rung.rung for rung in diagnosis.ladder}
    return [
        _finding(evidence, split, found)
        for split, found in evidence.disputed.items()
        if split in shown and found.share >= diagnosis.extra["delta"]
    ]


def _finding(evidence: Evidence, split: str, found: Disputed) -> Finding:
    name = words.of_rung(split)
    says = (
        f"About {words.percent(found.share)} of the {name} labels or more are probably wrong: of "
        f"{found.sure:,} mistakes that the network is sure of, {found.unlikely:,} contradict a "
        f"label that it finds as unlikely as any other, where of honest mistakes at most "
        f"{HONEST:.0%} do. Look at them before acting on a gap."
    )
    return Finding(
        diagnostic="label-noise",
        severity=DATA_FAULT,
        says=says,
        evidence={
            "split": split,
            "share": found.share,
            "sure": found.sure,
            "unlikely": found.unlikely,
            "n": found.n,
        },
        knobs=knobs_of(evidence, ["label_noise"]),
    )
