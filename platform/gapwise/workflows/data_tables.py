"""What a data report says to people: sentences and tables of plain cells."""

from typing import Any

import numpy as np

from gapwise.data.report import DataReport
from gapwise.errors import shown
from gapwise.forms.words import as_text
from gapwise.inputs import TOLD, kind_of, size_told
from gapwise.records import ExampleSet
from gapwise.workflows.label_tables import label_tables, targets_told, unknown_lines

MOST_ROWS = 30
MOST_COLUMNS = 5


def lines(report: DataReport) -> list[str]:
    """Return the sentences at the head of ``gapwise data``."""
    size = size_told(report.input_shape)
    what = kind_of(report.input_shape, report.dtype)
    kind = f"rows of {size} features" if what == "row" else f"{TOLD[what]} of {size}"
    sources = f", {len(report.classes_by_source)} sources" if _has_sources(report) else ""
    groups = f", {report.groups:,} groups" if report.groups is not None else ""
    bad = sum(report.quarantine.values())
    told = ", ".join(f"{code} {count}" for code, count in sorted(report.quarantine.items()))
    return [
        f"{report.name}: {report.n:,} {kind} ({report.dtype}), {targets_told(report)}"
        f"{sources}{groups}.",
        f"{bad} examples are set aside ({told})." if bad else "No example had to be set aside.",
        *unknown_lines(report),
        *report.missing,
    ]


def tables(report: DataReport, examples: ExampleSet) -> list[dict[str, Any]]:
    """Return the tables of ``gapwise data``: each with ``title``, ``columns``, ``rows``."""
    found = [table(**labels) for labels in label_tables(report)]
    found += [_ranges(report), _rows(report, examples)]
    found += [_quarantine(examples), _duplicates(report), _near(report)]
    return [item for item in found if item["rows"]]


def table(title: str, columns: list[str], rows: list[list[Any]]) -> dict[str, Any]:
    """Return a table; beyond ``MOST_ROWS`` its last row says how many were left off."""
    if len(rows) > MOST_ROWS:
        left = len(rows) - MOST_ROWS + 1
        rows = [*rows[: MOST_ROWS - 1], [f"… {left} more", *[""] * (len(columns) - 1)]]
    return {"title": title, "columns": columns, "rows": rows}


def _has_sources(report: DataReport) -> bool:
    return len(report.classes_by_source) > 1


def _ranges(report: DataReport) -> dict[str, Any]:
    rows = [
        [shown(c.name, 40), f"{c.low:.4g}", f"{c.mean:.4g}", f"{c.high:.4g}"]
        for c in report.columns
    ]
    return table("Ranges", ["input", "lowest", "mean", "highest"], rows)


def _rows(report: DataReport, examples: ExampleSet) -> dict[str, Any]:
    """Return some examples as they stand, when they are rows of numbers."""
    if examples.inputs.ndim != 2:
        return table("Samples", [], [])
    names = [shown(name, 20) for name in examples.feature_names[:MOST_COLUMNS]]
    more = ["…"] if len(examples.feature_names) > MOST_COLUMNS else []
    wanted = [name for ids in report.samples.values() for name in ids[:4]]
    rows = []
    for row in np.flatnonzero(np.isin(examples.ids, wanted)):
        numbers = [f"{value:.4g}" for value in examples.inputs[row, :MOST_COLUMNS]]
        label = shown(as_text(examples.labels, examples.targets[row]), 40)
        rows.append([shown(examples.ids[row], 30), label, *numbers, *more])
    return table("Samples", ["id", "label", *names, *more], rows)


def _quarantine(examples: ExampleSet) -> dict[str, Any]:
    rows = [[shown(q.item, 60), q.code, shown(q.reason, 80)] for q in examples.quarantine]
    return table("Set aside", ["example", "code", "why"], rows)


def _duplicates(report: DataReport) -> dict[str, Any]:
    rows = [
        [", ".join(shown(name, 40) for name in group.ids), ", ".join(group.splits),
         "same" if group.labels_agree else "DIFFERENT", group.sha256[:16]]
        for group in report.duplicates.groups
    ]  # fmt: skip
    return table("Equal inputs across splits", ["examples", "splits", "labels", "sha256"], rows)


def _near(report: DataReport) -> dict[str, Any]:
    rows = [
        [shown(pair.train_id, 40), shown(pair.id, 40), pair.split, f"{pair.difference:.1f} of 255"]
        for pair in report.duplicates.near.pairs
    ]
    return table("Nearly equal pictures", ["in train", "its like", "in", "difference"], rows)
