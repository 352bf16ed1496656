"""One metric to optimize, the others to satisfy: which run to take (notes 4.4).

A candidate is *feasible* when it surely keeps every limit, *infeasible* when it surely breaks one,
*borderline* when a limit lies inside the interval of its metric or the metric is not known. The
winner is the best of the feasible; those that a paired test cannot tell from it are its ties. With
several others, p-values are adjusted for their number (Holm 1979, *Scandinavian Journal of
Statistics* 6, 65–70).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from gapwise.diagnostics.gate import Limit, Rule
from gapwise.diagnostics.measured import Value
from gapwise.diagnostics.measures import Measure
from gapwise.errors import shown
from gapwise.records import plain

LEVEL = 0.05

Standing = Literal["feasible", "infeasible", "borderline"]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A run that may be taken.

    Attributes:
        run_id, name: the run.
        values: metric → value, of the optimizing metric and of every limited one.
    """

    run_id: str
    name: str
    values: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A candidate against the limits.

    Attributes:
        candidate: the run.
        standing: feasible, infeasible or borderline.
        rules: what each limit says.
        p_value: of no difference to the winner, Holm's; None for the winner itself, for those
            that are not feasible, and where no paired test is possible.
    """

    candidate: Candidate
    standing: Standing
    rules: tuple[Rule, ...]
    p_value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What ``select --json`` says.

    Attributes:
        measure: the optimizing metric.
        limits: the limits.
        judged: every candidate, the best first within its standing.
        winner: run id of the best feasible candidate; None where none is feasible.
        tied_with: feasible candidates that cannot be told from the winner.
        extra: further fields of the document.
    """

    measure: Measure
    limits: tuple[Limit, ...]
    judged: tuple[Judged, ...]
    winner: str | None
    tied_with: tuple[str, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)

    def of(self, standing: Standing) -> list[str]:
        """Return the run ids of one standing."""
        return [one.candidate.run_id for one in self.judged if one.standing == standing]

    @property
    def says(self) -> str:
        """The answer in one sentence."""
        names = {one.candidate.run_id: shown(one.candidate.name) for one in self.judged}
        feasible = self.of("feasible")
        if self.winner is None:
            open_ = len(self.of("borderline"))
            tail = f"; {open_} may: measure more exactly" if open_ else ""
            kept = "has the metric" if feasible else "surely keeps every limit"
            return f"No run {kept}{tail}."
        among = (
            f"of {len(feasible)} that keep every limit" if self.limits else f"of {len(feasible)}"
        )
        said = f"{names[self.winner]} is the best {among} by {self.measure.name}"
        if not self.tied_with:
            return f"{said}, and no other is tied with it." if len(feasible) > 1 else f"{said}."
        tied = ", ".join(names[run] for run in self.tied_with[:3])
        more = len(self.tied_with) - 3
        return f"{said}, tied with {tied}{f' and {more} more' if more > 0 else ''}."

    def as_json(self) -> dict[str, Any]:
        """Return the document; runs by id, intervals of 95 %."""
        document: dict[str, Any] = plain(
            {
                "optimize": self.measure.name,
                "limits": [str(limit) for limit in self.limits],
                "feasible": self.of("feasible"),
                "infeasible": self.of("infeasible"),
                "borderline": self.of("borderline"),
                "winner": self.winner,
                "tied_with": list(self.tied_with),
                "higher_is_better": self.measure.higher_is_better,
                "says": self.says,
                "candidates": [_as_json(one) for one in self.judged],
            }
        )
        return {**document, **plain(self.extra)}


PValue = Callable[[str, str], float]


def select(
    measure: Measure,
    limits: Sequence[Limit],
    candidates: Sequence[Candidate],
    p_value: PValue | None = None,
) -> Selection:
    """Judge the candidates and take the best that is feasible.

    Equal values are broken by the limited metrics, in their order, then by the run's id.

    Args:
        measure: the metric to optimize; its direction is known.
        limits: what has to be kept.
        candidates: each with the values of all these metrics.
        p_value: the paired test of two run ids; None: two are tied where their intervals overlap,
            or where their values are equal.
    """
    ranked = sorted(candidates, key=lambda one: _rank(measure, limits, one))
    judged = [_judge(one, limits) for one in ranked]
    able = [
        one.candidate
        for one in judged
        if one.standing == "feasible" and one.candidate.values[measure.name].value is not None
    ]
    if not able:
        return Selection(
            measure=measure, limits=tuple(limits), judged=tuple(judged), winner=None, tied_with=()
        )
    winner, others = able[0], able[1:]
    if p_value is None:
        tied = [one.run_id for one in others if _overlap(measure, winner, one)]
        values: dict[str, float] = {}
    else:
        raw = [p_value(winner.run_id, one.run_id) for one in others]
        values = dict(zip([one.run_id for one in others], holm(raw), strict=True))
        tied = [run for run, p in values.items() if p >= LEVEL]
    return Selection(
        measure=measure,
        limits=tuple(limits),
        judged=tuple(
            Judged(**{**vars(one), "p_value": values.get(one.candidate.run_id)}) for one in judged
        ),
        winner=winner.run_id,
        tied_with=tuple(tied),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the order given."""
    order = np.argsort(p_values, kind="stable")
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (count - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def limit_rule(limit: Limit, value: Value) -> Rule:
    """Return what a limit says of a value; one that is not known may be anything."""
    if value.value is not None:
        return limit.judge(value.value, value.interval)
    return Rule(
        name=f"limit {limit}",
        outcome="undecided",
        says=f"{limit.metric} is not known ({value.why}), so it may or may not be within its "
        f"limit {limit.sign} {limit.bound:g}.",
        evidence={"metric": limit.metric, "bound": limit.bound, "value": None},
    )


def _judge(candidate: Candidate, limits: Sequence[Limit]) -> Judged:
    rules = tuple(limit_rule(limit, candidate.values[limit.metric]) for limit in limits)
    outcomes = {rule.outcome for rule in rules}
    standing: Standing = "feasible"
    if "fails" in outcomes:
        standing = "infeasible"
    elif "undecided" in outcomes:
        standing = "borderline"
    return Judged(candidate=candidate, standing=standing, rules=rules)


def _rank(measure: Measure, limits: Sequence[Limit], candidate: Candidate) -> tuple[Any, ...]:
    def key(name: str, higher: bool) -> float:
        value = candidate.values[name].value
        return float("inf") if value is None else -value if higher else value

    ends = [key(limit.metric, limit.sign.startswith(">")) for limit in limits]
    return (key(measure.name, bool(measure.higher_is_better)), *ends, candidate.run_id)


def _overlap(measure: Measure, a: Candidate, b: Candidate) -> bool:
    first, second = a.values[measure.name], b.values[measure.name]
    if first.interval is None or second.interval is None:
        return first.value == second.value
    return first.interval.low <= second.interval.high and second.interval.low <= first.interval.high


def _as_json(one: Judged) -> dict[str, Any]:
    values = {
        name: {
            "value": value.value,
            "low": value.interval.low if value.interval else None,
            "high": value.interval.high if value.interval else None,
            "why": value.why,
        }
        for name, value in one.candidate.values.items()
    }
    return {
        "run_id": one.candidate.run_id,
        "name": one.candidate.name,
        "standing": one.standing,
        "p_value": one.p_value,
        "values": values,
        "limits": [asdict(rule) for rule in one.rules],
    }
