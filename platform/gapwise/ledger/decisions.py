"""What was tried on which advice, what it was to gain and what it gained, kept or dropped."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from gapwise.ledger.event import Event
from gapwise.ledger.ledger import Ledger

KIND = "decision"

Outcome = Literal["kept", "dropped", "undecided"]
OUTCOMES: tuple[Outcome, ...] = ("kept", "dropped", "undecided")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One knob that was turned; errors are fractions of 1.

    Attributes:
        base, new: run ids before and after.
        knob, gap: what was turned, and the gap that it acts on.
        change: dotted key → value; empty where a person did it.
        at_most, bound: what it could gain at most, and where that comes from.
        gained: error(base) − error(new) on the shared dev examples, with its 95 % interval.
        p_value, n: of no difference, and the shared examples.
        outcome: kept, dropped or undecided.
        why, author, utc: of the latest word on it.
    """

    base: str
    new: str
    knob: str
    gap: str
    change: Mapping[str, Any]
    at_most: float | None
    bound: str
    gained: float
    low: float | None
    high: float | None
    p_value: float
    n: int
    outcome: Outcome
    why: str = ""
    author: str = ""
    utc: str = ""

    @property
    def within(self) -> bool | None:
        """Whether what was gained may lie within the bound; None where there is no bound."""
        if self.at_most is None:
            return None
        return (self.gained if self.low is None else self.low) <= self.at_most


_SPOKEN = ("why", "author", "utc")
_STORED = tuple(f.name for f in fields(Decision) if f.name not in _SPOKEN)


def decide(ledger: Ledger, decision: Decision, *, dataset: str) -> Event:
    """Note a decision; a later one about the same runs and knob takes its place, the past stays."""
    value = {name: getattr(decision, name) for name in _STORED}
    value["change"] = dict(decision.change)
    return ledger.append(
        dataset=dataset, kind=KIND, value=value, author=decision.author, reason=decision.why
    )


def standing(ledger: Ledger, dataset: str | None = None) -> list[Decision]:
    """Return what stands of each knob between two runs, in the order of the first word on it."""
    found: dict[tuple[str, str, str], Decision] = {}
    for event in ledger.events(kind=KIND, dataset=dataset):
        known = {name: event.value[name] for name in _STORED}
        decision = Decision(**known, why=event.reason, author=event.author, utc=event.utc)
        found[(decision.base, decision.new, decision.knob)] = decision
    return list(found.values())
