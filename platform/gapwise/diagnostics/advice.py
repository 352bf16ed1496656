"""How good the advice has been: what the knobs that were tried gained, against what they could."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gapwise.diagnostics import words
from gapwise.statistics.intervals import Interval, wilson


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One knob that was tried: whether it surely helped, and lay within its bound."""

    helped: bool
    hurt: bool
    within: bool | None


@dataclass(frozen=True, kw_only=True)
class Record:
    """A share of decisions with Wilson's interval; None of either for no decision."""

    count: int
    n: int
    share: float | None
    interval: Interval | None


@dataclass(frozen=True, kw_only=True)
class AdviceRecord:
    """What became of the advice.

    Attributes:
        helped: surely lowered the dev error.
        hurt: surely raised it.
        within: gained no more than they could at most.
    """

    helped: Record
    hurt: Record
    within: Record

    @property
    def says(self) -> str:
        """One sentence."""
        if not self.helped.n:
            return "Nothing has been tried yet."
        held, noun = "", "knob" if self.helped.n == 1 else "knobs"
        if self.within.n:
            held = f" {self.within.count} of {self.within.n} gained no more than their bound."
        return (
            f"Of {self.helped.n} {noun} tried, {self.helped.count} surely helped"
            f"{_span(self.helped)} and {self.hurt.count} surely hurt.{held}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "says": self.says}


def advice_record(tried: Sequence[Tried]) -> AdviceRecord:
    """Return how often tried knobs helped, hurt, and kept their bounds."""
    bounded = [one.within for one in tried if one.within is not None]
    return AdviceRecord(
        helped=_record([one.helped for one in tried]),
        hurt=_record([one.hurt for one in tried]),
        within=_record(bounded),
    )


def _record(flags: Sequence[bool]) -> Record:
    n, count = len(flags), sum(flags)
    if not n:
        return Record(count=0, n=0, share=None, interval=None)
    return Record(count=count, n=n, share=count / n, interval=wilson(count, n))


def _span(record: Record) -> str:
    if record.interval is None:
        return ""
    return words.span(record.interval.low, record.interval.high).replace(")", " %)")
