"""Sentences and cells that the HTML and the Markdown share."""

from collections.abc import Sequence
from typing import Final

from gapwise.figures import words
from gapwise.records import DATA_FAULT, Diagnosis, Finding, Gap, Knob, Rung
from gapwise.reports.facts import Facts

MOST_STEPS: Final = 8
_SHOWN_ELSEWHERE: Final = ("verdict", "sources")

DOCS: Final = (
    ("The interval of one rung", "the-interval-of-one-rung",
     "Wilson's score interval for independent examples; with groups, weights or fractional errors "
     "the same on the design-effect sample size."),
    ("The interval of a gap", "the-interval-of-a-gap",
     "20,000 joint draws of every rung from its posterior; the middle 95 % of the differences."),
    ("The verdict", "the-verdict",
     "A gap is high when it exceeds δ with probability 0.95, and wins when it is also the largest "
     "with probability 0.95; otherwise the answer is undecided, with what would decide."),
    ("What to turn", "what-to-turn",
     "“At most” is the size of the gap less what is inherent: a ceiling, no forecast."),
    ("What is assumed", "what-is-assumed",
     "Examples or groups are independent draws, dev is not used up, labels are right."),
)  # fmt: skip
"""Sections of docs/diagnosis.md with what each says in short."""


def title(diagnosis: Diagnosis) -> str:
    """Return the verdict in a few words; a fault of the data comes before it."""
    if any(finding.severity >= DATA_FAULT for finding in diagnosis.findings):
        return "First mend the data"
    if diagnosis.verdict == "none":
        return "No gap is high"
    gaps = {gap.name: gap for gap in diagnosis.gaps}
    if diagnosis.verdict in gaps:
        name = words.of_gap(diagnosis.verdict)
        verb = "together are" if "+" in name else "is"
        return f"{name[0].upper()}{name[1:]} {verb} the largest gap"
    if not gaps:
        return "Too few rungs to tell"
    likely = max(diagnosis.gaps, key=lambda gap: gap.probability_largest)
    return f"Undecided: perhaps {words.of_gap(likely.name)}"


def verdict(diagnosis: Diagnosis) -> str:
    """Return the verdict as a whole sentence, with how sure it is and what it could gain."""
    return next((f.says for f in diagnosis.findings if f.diagnostic == "verdict"), "")


def others(diagnosis: Diagnosis) -> list[Finding]:
    """Return the findings that nothing else in the report shows."""
    return [f for f in diagnosis.findings if f.diagnostic not in _SHOWN_ELSEWHERE]


def at_most(knob: Knob) -> str:
    """Return what a knob can gain at most."""
    return "gain unknown" if knob.at_most is None else f"≤ {100 * knob.at_most:.1f} points"


def subject(facts: Facts) -> str:
    """Return of what the report speaks: run, data, when."""
    seeds = int(facts.diagnosis.extra.get("seeds", 1))
    several = f"{seeds} seeds" if seeds > 1 else ""
    told = (f"dataset {facts.dataset}", several, facts.when, facts.took)
    return " · ".join(filter(None, told))


def of_one(facts: Facts) -> str:
    """Return that something is of one seed alone, where the ladder is of several."""
    return ", of one of the seeds" if int(facts.diagnosis.extra.get("seeds", 1)) > 1 else ""


def error(rung: Rung | None) -> str:
    """Return an error with its interval and n in one cell."""
    if rung is None:
        return "–"
    inside = words.span(rung.low, rung.high) or "no interval"
    size = f", n {rung.n:,}" if rung.n else ", n not stated"
    return f"{words.percent(rung.error)} ({inside}{size})"


def interval(rung: Rung) -> str:
    """Return the interval of a rung, or why it has none."""
    return words.span(rung.low, rung.high) or rung.why or "no interval"


def gap(found: Gap | None) -> tuple[str, str, str]:
    """Return name, points with interval, and the probability that a gap is the largest."""
    if found is None:
        return "", "", ""
    inside = words.span(found.low, found.high)
    points = words.points(found.gap) + (f" ({inside})" if inside else " (no interval)")
    return words.of_gap(found.name), points, _probability(found.probability_largest)


def gap_of(rungs: Sequence[Rung], gaps: Sequence[Gap]) -> dict[str, Gap]:
    """Return rung → the gap that ends at it."""
    return dict(zip([r.rung for r in rungs if r.rung != "human"], gaps, strict=False))


def counts(facts: Facts) -> list[str]:
    """Return what was looked at and what was left aside, a sentence each."""
    aside = words.count(facts.quarantined, "bad example")
    verb = "was" if facts.quarantined == 1 else "were"
    looks = words.count(facts.looks, "time")
    return [
        f"The test set of this data has been looked at {looks}.",
        f"{aside} {verb} set aside while reading." if facts.quarantined
        else "No example was set aside while reading.",
    ]  # fmt: skip


def _probability(value: float) -> str:
    if value > 0.999:
        return "> 99.9 %"
    return "< 0.1 %" if value < 0.001 else f"{100 * value:.1f} %"
