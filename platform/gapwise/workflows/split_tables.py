"""What a split says to people: who stands where, and how sure its sizes can make them."""

from typing import Any

from gapwise.data.report import DataReport
from gapwise.errors import shown
from gapwise.pipeline import Pipeline
from gapwise.records import SPLITS
from gapwise.statistics.size import advise, half_width, starting_points
from gapwise.workflows.data_tables import table

ERRORS = (0.01, 0.05, 0.1, 0.2)
DIFFERENCES = (0.005, 0.01, 0.02, 0.05)
EXPECTED_ERROR = 0.1


def lines(pipeline: Pipeline, report: DataReport) -> list[str]:
    """Return the sentences at the head of ``gapwise split``."""
    target = pipeline.splits.target
    drawn = f"from source {shown(target)} alone" if target is not None else "from all of the data"
    return [
        f"{report.name}: {report.n:,} examples; dev and test are drawn at random {drawn}.",
        *report.missing,
    ]


def tables(report: DataReport) -> list[dict[str, Any]]:
    """Return the tables of ``gapwise split``: each with ``title``, ``columns``, ``rows``."""
    return [_sources(report), _widths(report), _advice(report), _starting_points(report)]


def _sources(report: DataReport) -> dict[str, Any]:
    sources = list(report.classes_by_source)
    rows = []
    for split in (*SPLITS, ""):
        counts = [report.sources_by_split[split].get(source, 0) for source in sources]
        if split or sum(counts):
            name = split.replace("_", "-") or "left out"
            rows.append([name, *(f"{count:,}" for count in counts), f"{sum(counts):,}"])
    return table("Splits by source", ["split", *(shown(s, 30) for s in sources), "all"], rows)


def _widths(report: DataReport) -> dict[str, Any]:
    """Return how closely each judging split can know an error (Wilson, examples independent)."""
    rows = []
    for split in SPLITS[1:]:
        n = _size(report, split)
        if n:
            widths = [f"± {100 * half_width(error, n):.1f}" for error in ERRORS]
            rows.append([split.replace("_", "-"), f"{n:,}", *widths])
    columns = ["split", "n", *(f"error {100 * error:g} %" for error in ERRORS)]
    return table("95 % interval that the sizes buy, in points", columns, rows)


def _advice(report: DataReport) -> dict[str, Any]:
    dev = _size(report, "dev")
    rows = []
    for difference in DIFFERENCES:
        advice = advise(difference, EXPECTED_ERROR)
        verdict = "enough" if dev >= advice.n else f"{advice.n - dev:,} too few"
        rows.append([f"{100 * difference:g} points", f"{advice.n:,}", verdict])
    advice = advise(DIFFERENCES[0], EXPECTED_ERROR)
    title = (
        f"Dev examples that tell two networks apart (error {100 * EXPECTED_ERROR:g} %, power "
        f"{100 * advice.power:.0f} %, α {advice.alpha:g}, erring independently)"
    )
    return table(title, ["difference", "needed", f"dev has {dev:,}"], rows)


def _starting_points(report: DataReport) -> dict[str, Any]:
    rows = []
    for point in starting_points(report.n):
        counts = [f"{count:,}" for count in (point.train, point.dev, point.test)]
        rows.append([point.name, *counts, "fits this size" if point.recommended else ""])
    return table("Starting points (notes 4.5)", ["", "train", "dev", "test", ""], rows)


def _size(report: DataReport, split: str) -> int:
    return sum(report.sources_by_split[split].values())
