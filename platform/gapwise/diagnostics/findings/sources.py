"""Error by source: where in a split the errors come from."""

from collections.abc import Mapping
from typing import Any

from gapwise.diagnostics import words
from gapwise.diagnostics.errors_by_split import SplitErrors
from gapwise.diagnostics.evidence import Evidence
from gapwise.errors import shown
from gapwise.records import Diagnosis, Finding

__all__ = ["sources"]


def sources(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Break down every shown split that mixes sources."""
    found = []
    for rung in diagnosis.ladder:
        runs = evidence.splits.get(rung.rung, ())
        if runs and len(runs[0].by_source) > 1:
            found.append(_finding(rung.rung, runs[0].by_source))
    return found


def _finding(rung: str, by_source: Mapping[str, SplitErrors]) -> Finding:
    rows: list[dict[str, Any]] = []
    for name, errors in sorted(by_source.items(), key=lambda item: -item[1].rate):
        interval = errors.interval
        ends = (interval.low, interval.high) if interval else (None, None)
        row = {"source": name, "n": errors.n, "error": errors.rate}
        rows.append(row | {"low": ends[0], "high": ends[1]})
    parts = [
        f"{shown(row['source'] or 'unnamed', 30)} {words.percent(row['error'])}"
        f"{words.span(row['low'], row['high'])} of {row['n']:,}"
        for row in (rows if len(rows) <= 4 else [*rows[:3], rows[-1]])
    ]
    says = f"{words.of_rung(rung).capitalize()} error by source: {'; '.join(parts)}."
    evidence = {"rung": rung, "sources": rows}
    return Finding(diagnostic="sources", severity=0.2, says=says, evidence=evidence)
