"""Labels that are probably wrong: a fault of the data, which outranks every gap (notes 4.11)."""

from dataclasses import replace

from gapwise.diagnostics import words
from gapwise.diagnostics.error_table import MISLABELED
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.knobs import knobs_of
from gapwise.records import DATA_FAULT, Diagnosis, Finding, Knob
from gapwise.statistics.label_noise import Disputed, honest_share

__all__ = ["label_noise"]


def label_noise(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Name the splits of which more labels are disputed than honest mistakes explain."""
    shown = {rung.rung for rung in diagnosis.ladder}
    disputed = {split: one for split, one in evidence.disputed.items() if split in shown}
    found = []
    for split, one in disputed.items():
        honest = honest_share(other for name, other in disputed.items() if name != split)
        if one.share(honest) >= diagnosis.extra["delta"]:
            found.append(_finding(evidence, split, one, honest))
    return found


def _finding(evidence: Evidence, split: str, found: Disputed, honest: float) -> Finding:
    name, share = words.of_rung(split), found.share(honest)
    says = (
        f"About {words.percent(share)} of the {name} labels or more are probably wrong: of "
        f"{found.sure:,} mistakes that the network is sure of, {found.unlikely:,} contradict a "
        f"label that it finds as unlikely as any other, where of honest mistakes at most "
        f"{100 * honest:.0f} % do. Look at them before acting on a gap."
    )
    return Finding(
        diagnostic="label-noise",
        severity=DATA_FAULT,
        says=says,
        evidence={
            "split": split,
            "share": share,
            "sure": found.sure,
            "unlikely": found.unlikely,
            "n": found.n,
        },
        knobs=_knobs(evidence, split, found),
    )


def _knobs(evidence: Evidence, split: str, found: Disputed) -> tuple[Knob, ...]:
    """Return what to do; of dev no more can be gained than what the network surely disputes."""
    knobs = knobs_of(evidence, ["label_noise"])
    if split not in ("dev", "test"):
        return knobs
    table = evidence.error_table
    tagged = [row for row in table.rows if row.name == MISLABELED] if table else []
    if tagged and split == "dev":
        return tuple(replace(k, at_most=tagged[0].most, bound="the error table") for k in knobs)
    most = found.sure / found.n
    return tuple(replace(knob, at_most=most, bound="the disputed labels") for knob in knobs)
