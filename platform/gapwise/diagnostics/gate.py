"""A gate for continuous integration: is a run surely worse than another, and within its limits?

Every rule has three outcomes. ``holds`` and ``fails`` are sure at 95 %; between them lies
``undecided``, and whoever sets the gate says whether that passes. The rule against a reference is
the non-inferiority test of Tango (1998): with a margin, only a difference beyond it is worse.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from gapwise.diagnostics import words
from gapwise.diagnostics.compare import Comparison
from gapwise.errors import UsageError, shown
from gapwise.statistics.intervals import Interval

Outcome = Literal["holds", "fails", "undecided"]

_SIGNS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_LIMIT = re.compile(r"\s*(?P<metric>[^<>=\s]+)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>\S+)\s*")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What one rule of the gate found.

    Attributes:
        name: which rule.
        outcome: ``holds``, ``fails`` or ``undecided``.
        says: one sentence.
        evidence: the numbers behind it, as plain values.
    """

    name: str
    outcome: Outcome
    says: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit that a metric has to keep (notes 4.4, a satisficing metric)."""

    metric: str
    sign: str
    bound: float

    def __str__(self) -> str:
        return f"{self.metric}{self.sign}{self.bound:g}"

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read ``METRIC<=NUMBER``; the signs are ``<=``, ``<``, ``>=`` and ``>``.

        Raises:
            UsageError: it cannot be read.
        """
        found = _LIMIT.fullmatch(text)
        bound = _number(found["bound"]) if found else math.nan
        if not found or not math.isfinite(bound):
            raise UsageError(
                f"--limit {shown(text)!r} is no limit; write a metric, one of <= < >= > and a "
                "number: 'dev_error<=0.05'"
            )
        return cls(metric=found["metric"], sign=found["sign"], bound=bound)

    def judge(self, value: float, interval: Interval | None = None) -> Rule:
        """Return whether ``value`` keeps the limit; undecided where its interval holds the bound.

        A value without an interval is taken at its word; one that is no number fails.
        """
        keeps = _SIGNS[self.sign]
        ends = (value,) if interval is None else (interval.low, interval.high)
        kept = [keeps(end, self.bound) for end in ends]
        outcome: Outcome = "holds" if all(kept) else "undecided" if any(kept) else "fails"
        inside = "no interval"
        if interval is not None:
            inside = f"{_figure(interval.low)} to {_figure(interval.high)}"
        told = {
            "holds": "is within",
            "undecided": "may or may not be within",
            "fails": "is beyond",
        }
        return Rule(
            name=f"limit {self}",
            outcome=outcome,
            says=f"{self.metric} = {_figure(value)} ({inside}) {told[outcome]} its limit "
            f"{self.sign} {_figure(self.bound)}.",
            evidence={
                "metric": self.metric,
                "bound": self.bound,
                "value": value if math.isfinite(value) else None,
                "low": interval.low if interval else None,
                "high": interval.high if interval else None,
            },
        )


def not_worse(found: Comparison, reference: str, margin: float = 0.0) -> Rule:
    """Return whether the run of a comparison (its A) errs no more than the reference (its B).

    Without a margin the comparison's own test decides: fails where the reference is surely better,
    holds where the run is. With one: holds where the whole interval of error(run) −
    error(reference) lies below the margin, fails where it lies above, else undecided.

    Args:
        found: run against reference.
        reference: what the reference is called.
        margin: how much more error is tolerated, a fraction of 1.
    """
    outcome = _by_margin(found, margin) if margin else _by_test(found)
    sign = "+" if found.difference > 0 else ""
    return Rule(
        name="not worse",
        outcome=outcome,
        says=f"The run {_told(outcome, margin)} {reference}: {sign}{words.points(found.difference)}"
        f"{words.span(found.low, found.high)} on {found.n_shared:,} shared "
        f"{words.of_rung(found.split)} examples, p = {found.p_value:.2g}.",
        evidence={
            "difference": found.difference,
            "low": found.low,
            "high": found.high,
            "p_value": found.p_value,
            "n": found.n_shared,
            "margin": margin,
        },
    )


def _told(outcome: Outcome, margin: float) -> str:
    if not margin:
        told = {"holds": "surely errs less than", "fails": "surely errs more than"}
        return told.get(outcome, "cannot be told from")
    size = words.points(margin)
    told = {
        "holds": f"surely errs at most {size} more than",
        "fails": f"errs over {size} more than",
    }
    return told.get(outcome, f"may or may not err over {size} more than")


def _by_test(found: Comparison) -> Outcome:
    return {"a": "holds", "b": "fails"}.get(found.verdict, "undecided")  # type: ignore[return-value]


def _by_margin(found: Comparison, margin: float) -> Outcome:
    if found.low is None or found.high is None:
        return "undecided"
    if found.high < margin:
        return "holds"
    return "fails" if found.low > margin else "undecided"


def _figure(value: float) -> str:
    """Return a number as a sentence says it: 4 figures, large whole ones in full."""
    whole = math.isfinite(value) and abs(value) >= 1000 and float(value).is_integer()
    return f"{value:,.0f}" if whole else f"{value:.4g}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
