"""Ladders by class and by source: where the gaps come from.

Each part has the rungs of the whole, on its own examples. A part that a split does not hold is
undefined there, never 0; one with fewer than 30 examples says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gapwise.diagnostics.errors_by_split import SplitErrors
from gapwise.diagnostics.evidence import Evidence
from gapwise.records import SPLITS, Rung
from gapwise.statistics.intervals import Interval, wilson

By = Literal["class", "source"]
FEW = 30


@dataclass(frozen=True, kw_only=True)
class Parted:
    """The ladder of one class or source: a rung a split of the whole ladder."""

    part: str
    rungs: tuple[Rung, ...]

    @property
    def step(self) -> float | None:
        """The rise from the first rung to the last that it has; None with fewer than two."""
        known = [rung.error for rung in self.rungs if rung.n]
        return known[-1] - known[0] if len(known) > 1 else None


def parted(evidence: Evidence, by: By, *, test: bool = False) -> tuple[Parted, ...]:
    """Return the ladder of every class or source, that with the highest last error first.

    Several seeds are averaged without an interval; a single run has one a rung.
    """
    splits = [s for s in SPLITS if evidence.splits.get(s) and (test or s != "test")]
    tables = {split: [_parts(run, by) for run in evidence.splits[split]] for split in splits}
    names = sorted({name for runs in tables.values() for run in runs for name in run})
    found = [
        Parted(
            part=name,
            rungs=tuple(_rung(split, [run.get(name) for run in tables[split]]) for split in splits),
        )
        for name in names
    ]
    return tuple(sorted(found, key=lambda one: (-_last(one), one.part)))


def rows(found: tuple[Parted, ...]) -> list[dict[str, object]]:
    """Return plain values, as ``diagnose --json`` gives them."""
    return [
        {"part": one.part, "ladder": [vars(rung) | _undefined(rung) for rung in one.rungs]}
        for one in found
    ]


_Part = tuple[int, float, Interval | None]


def _parts(run: SplitErrors, by: By) -> Mapping[str, _Part]:
    if by == "source":
        return {name: (e.n, e.rate, e.interval) for name, e in run.by_source.items()}
    independent = run.wrong is not None
    return {
        name: (n, rate, wilson(rate * n, n) if independent else None)
        for name, (n, rate) in run.by_class.items()
    }


def _rung(split: str, runs: list[_Part | None]) -> Rung:
    known = [one for one in runs if one is not None]
    if not known:
        return Rung(rung=split, error=0.0, low=None, high=None, n=0, why="no example: undefined")
    n = known[0][0]
    error = sum(one[1] for one in known) / len(known)
    interval = known[0][2] if len(known) == 1 else None
    why = "" if interval else "averaged over seeds" if len(known) > 1 else "grouped or weighted"
    if n < FEW:
        why = f"only {n} examples"
    return Rung(
        rung=split,
        error=error,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=n,
        why=why,
    )


def _last(one: Parted) -> float:
    known = [rung.error for rung in one.rungs if rung.n]
    return known[-1] if known else 0.0


def _undefined(rung: Rung) -> dict[str, object]:
    return {} if rung.n else {"error": None, "n": 0}
