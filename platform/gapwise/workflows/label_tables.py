"""What a data report says of targets: tables of classes by label, or of numbers."""

from typing import Any

from gapwise.data.label_report import ClassCounts, NumberCounts, Numbers
from gapwise.data.report import DataReport
from gapwise.errors import shown
from gapwise.records import SPLITS

BAR = 30


def label_tables(report: DataReport) -> list[dict[str, Any]]:
    """Return a table for each label with classes, or the two tables of numbers."""
    if report.numbers is not None:
        return [_numbers(report.numbers), _histogram(report.numbers)]
    several = len(report.labels) > 1
    return [_classes(label, several) for label in report.labels]


def targets_told(report: DataReport) -> str:
    """Return what the targets are, in a few words."""
    if report.numbers is not None:
        unit = f" in {shown(report.numbers.unit, 30)}" if report.numbers.unit else ""
        return f"numbers to predict ({shown(report.numbers.name, 40)}{unit})"
    if report.drawn:
        return report.drawn
    if len(report.labels) > 1:
        names = ", ".join(shown(label.name, 30) for label in report.labels)
        return f"{len(report.labels)} labels ({names})"
    return f"{len(report.classes)} classes"


def unknown_lines(report: DataReport) -> list[str]:
    """Return a sentence for each label that is unknown somewhere."""
    return [
        f"Label {shown(label.name, 40)} is unknown in {label.unknown:,} of {report.n:,} examples: "
        "there it counts neither in training nor in errors."
        for label in report.labels
        if label.unknown
    ]


def _classes(label: ClassCounts, several: bool) -> dict[str, Any]:
    sources = list(label.by_source)
    apart = len(sources) > 1
    whole = sum(map(sum, label.by_source.values()))
    rows = []
    for position, name in enumerate(label.classes):
        counts = [label.by_source[source][position] for source in sources]
        by_source = [f"{count:,}" for count in counts] if apart else []
        share = f"{100 * sum(counts) / max(1, whole):.1f} %"
        rows.append([shown(name, 40), *by_source, f"{sum(counts):,}", share])
    if label.unknown:
        rows.append(["(unknown)", *[""] * len(sources) * apart, f"{label.unknown:,}", ""])
    of = f" of {shown(label.name, 40)}" if several else ""
    return {
        "title": f"Classes{of} by source" if apart else f"Classes{of}",
        "columns": ["class", *(shown(s, 30) for s in sources if apart), "all", "share"],
        "rows": rows,
    }


def _numbers(numbers: NumberCounts) -> dict[str, Any]:
    parts = {split.replace("_", "-"): numbers.by_split[split] for split in SPLITS}
    if len(numbers.by_source) > 1:
        parts |= {f"source {shown(name, 30)}": part for name, part in numbers.by_source.items()}
    unit = f", {shown(numbers.unit, 30)}" if numbers.unit else ""
    return {
        "title": f"{shown(numbers.name, 40)}{unit}",
        "columns": ["", "n", "lowest", "median", "mean", "highest", "deviation"],
        "rows": [[name, f"{part.n:,}", *_cells(part)] for name, part in parts.items() if part.n],
    }


def _cells(part: Numbers) -> list[str]:
    values = (part.low, part.median, part.mean, part.high, part.deviation)
    return ["–" if value is None else f"{value:,.6g}" for value in values]


def _histogram(numbers: NumberCounts) -> dict[str, Any]:
    most, total = max(numbers.counts), sum(numbers.counts)
    rows = [
        [f"{low:,.6g} to {high:,.6g}", f"{count:,}", f"{100 * count / max(1, total):.1f} %",
         "█" * round(BAR * count / max(1, most))]
        for low, high, count in zip(
            numbers.edges, numbers.edges[1:], numbers.counts, strict=False
        )
    ]  # fmt: skip
    return {
        "title": f"How often {shown(numbers.name, 40)} is",
        "columns": ["from", "examples", "share", ""],
        "rows": rows,
    }
