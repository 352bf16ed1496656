"""The sentence at the head of *What next*: what matters most, how sure, what it can gain."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.text import safe
from dashboards.widgets import tone
from gapwise.figures import words
from gapwise.records import DATA_FAULT, Diagnosis, Finding, Gap, Rung


@dataclass(frozen=True, kw_only=True)
class Headline:
    """Two lines of Markdown, safe to show."""

    title: str
    below: str


def headline(diagnosis: Diagnosis) -> Headline:
    """Return what a diagnosis says in one sentence, and the line below it."""
    gaps = {gap.name: gap for gap in diagnosis.gaps}
    faults = [one for one in diagnosis.findings if one.severity >= DATA_FAULT]
    if faults:
        return _faulty(diagnosis, faults)
    if diagnosis.verdict in gaps:
        return _decided(diagnosis, gaps[diagnosis.verdict])
    if diagnosis.verdict == "none":
        return _none(diagnosis)
    return _undecided(diagnosis)


def last_rung(diagnosis: Diagnosis) -> Rung | None:
    """Return the rung that counts: dev, else the last one that is no human level."""
    rungs = {rung.rung: rung for rung in diagnosis.ladder if rung.rung != "human"}
    return rungs.get("dev") or (list(rungs.values())[-1] if rungs else None)


def basis(diagnosis: Diagnosis) -> str:
    """Return what the numbers stand on: examples of dev and seeds."""
    rung = last_rung(diagnosis)
    seeds = int(diagnosis.extra.get("seeds", 1))
    few = ", few to speak of the pipeline" if diagnosis.extra.get("few_seeds") else ""
    n = words.count(rung.n, "example") if rung and rung.n else "unknown size"
    name = words.of_rung(rung.rung) if rung else "Dev"
    return f"{name}: {n}, {words.count(seeds, 'seed')}{few}."


def _faulty(diagnosis: Diagnosis, faults: Sequence[Finding]) -> Headline:
    told = " and ".join(dict.fromkeys(_fault(one) for one in faults))
    says = " ".join(safe(one.says) for one in faults)
    return Headline(
        title=f"# :red[First mend the data]: {told}", below=f"{says} {basis(diagnosis)}"
    )


def _fault(finding: Finding) -> str:
    split = words.of_rung(finding.evidence["split"]).lower()
    return (
        f"{split} examples in train" if finding.diagnostic == "leaks" else f"wrong {split} labels"
    )


def _decided(diagnosis: Diagnosis, gap: Gap) -> Headline:
    name = words.of_gap(gap.name)
    verb = "together are" if "+" in gap.name else "is"
    title = (
        f"# :{tone(gap.name)}[{name[0].upper()}{name[1:]}] {verb} your largest gap: {_points(gap)}"
    )
    sure = f"Sure: it is the largest with probability {_probability(gap.probability_largest)}."
    rung = last_rung(diagnosis)
    gain = ""
    if rung:
        rest = max(0.0, rung.error - gap.gap)
        gain = (
            f" Closing it fully would bring {rung.rung} error from "
            f"{words.percent(rung.error)} to about {words.percent(rest)}."
        )
    return Headline(title=title, below=f"{sure}{gain} {basis(diagnosis)}")


def _none(diagnosis: Diagnosis) -> Headline:
    delta = 100 * float(diagnosis.extra.get("delta", 0.01))
    title = f"# :green[No gap] is larger than {delta:g} {'point' if delta == 1 else 'points'}"
    sure = _probability(float(diagnosis.extra.get("probability_none", 0.95)))
    says = (
        f"Sure: every gap is below that with probability {sure}. What is left is small everywhere."
    )
    return Headline(title=title, below=f"{says} {basis(diagnosis)}")


def _undecided(diagnosis: Diagnosis) -> Headline:
    if not diagnosis.gaps:
        return Headline(title="# Too few rungs to tell", below=basis(diagnosis))
    gap = max(diagnosis.gaps, key=lambda one: one.probability_largest)
    name = words.of_gap(gap.name)
    title = f"# Undecided: perhaps :{tone(gap.name)}[{name}], {_points(gap)}"
    if (diagnosis.needs or {}).get("rung") == "human":
        title = f"# Undecided until people are measured: :{tone(gap.name)}[{name}] ≤ {_points(gap)}"
    chance = f"It is the largest gap with probability {_probability(gap.probability_largest)}."
    return Headline(title=title, below=f"{chance} {_needs(diagnosis)} {basis(diagnosis)}")


def _needs(diagnosis: Diagnosis) -> str:
    needs = diagnosis.needs or {}
    if why := needs.get("why"):
        return f"To decide: {safe(why)}."
    if needs.get("n"):
        return f"To decide: about {needs['n']:,} {safe(words.of_rung(needs['rung']))} examples."
    return ""


def _points(gap: Gap) -> str:
    inside = words.span(gap.low, gap.high)
    number = words.points(gap.gap).removeprefix("+")
    return f"{number} points ({inside})" if inside else f"{number} points"


def _probability(value: float) -> str:
    if value > 0.999:
        return "above 99.9 %"
    return f"{100 * value:.1f} %" if value >= 0.95 else f"{100 * value:.0f} %"
