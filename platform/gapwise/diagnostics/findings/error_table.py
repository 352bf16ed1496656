"""What people saw in the errors: the tag that gains most, and what fixing it can gain (4.10)."""

import re

from gapwise.diagnostics.error_table import ErrorTable, TagRow
from gapwise.diagnostics.evidence import Evidence
from gapwise.records import Diagnosis, Finding, Knob

__all__ = ["error_table"]

_BOUND = "the error table"
_MOST = 3
_HOURS = 1.0
"""Efforts up to this are hours, beyond it days."""


def error_table(evidence: Evidence, diagnosis: Diagnosis) -> list[Finding]:
    """Name the tag with the greatest gain by effort, of the errors that were read at random."""
    table = evidence.error_table
    if table is None or not table.rows:
        return []
    return [
        Finding(
            diagnostic="error-table",
            severity=0.5,
            says=table.says,
            evidence=_evidence(table),
            knobs=tuple(_knob(row) for row in table.rows[:_MOST]),
        )
    ]


def _knob(row: TagRow) -> Knob:
    return Knob(
        name=f"Fix what is tagged “{row.name}”",
        gap="",
        why=f"{row.count} of the errors that were read bear this tag.",
        at_most=row.most,
        id=f"fix-{re.sub(r'[^a-z0-9]+', '-', row.name.lower()).strip('-')}",
        effort="days" if (row.effort or _HOURS) > _HOURS else "hours",
        bound=_BOUND,
    )


def _evidence(table: ErrorTable) -> dict[str, object]:
    return {
        "read": table.read,
        "sampled": table.sampled,
        "errors": table.errors,
        "tags": {row.name: {"share": row.share, "gain": row.gain} for row in table.rows},
    }
