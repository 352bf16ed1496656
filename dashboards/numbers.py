"""Where the errors of predicted numbers stand: in their unit, by range, as points and a histogram.

Computed here for the pages, which only draw.
"""

from dataclasses import dataclass

import numpy as np

from gapwise.data.buckets import range_edges, range_names
from gapwise.diagnostics.errors_by_split import Columns, summarise
from gapwise.figures.intervals import Estimate
from gapwise.metrics.regression import Regression
from gapwise.metrics.regression import regression as sum_up
from gapwise.records import Predictions

MOST_POINTS = 2000
BINS = 40
CENTRAL = (0.005, 0.995)


@dataclass(frozen=True, kw_only=True)
class Points:
    """True and predicted numbers of some examples, evenly spread over the split."""

    true: list[float]
    predicted: list[float]


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts of predicted − true in bins; ``beyond``: how many lie outside of them."""

    edges: list[float]
    counts: list[int]
    beyond: int


def name_of(table: Predictions) -> str:
    """Return what the numbers are, with their unit."""
    labels = table.labels
    return f"{labels.names[0]}, {labels.unit}" if labels.unit else labels.names[0]


def told(value: float) -> str:
    """Return a number as people read it: four digits, whole from a thousand on."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
    return text.replace("-", "−")


def in_unit(table: Predictions) -> Regression:
    """Return the errors in the target's own unit."""
    return sum_up(table.target, table.predicted, table.weight)


def points(table: Predictions) -> Points:
    """Return up to ``MOST_POINTS`` examples."""
    rows = slice(None, None, -(-len(table) // MOST_POINTS) or 1)
    return Points(true=table.target[rows].tolist(), predicted=table.predicted[rows].tolist())


def histogram(table: Predictions) -> Histogram:
    """Return how predicted − true lies; the outermost hundredth does not stretch the bins."""
    residual = table.predicted - table.target
    low, high = np.quantile(residual, CENTRAL)
    reach = max(abs(low), abs(high)) or 1.0
    counts, edges = np.histogram(residual, BINS, (-reach, reach))
    return Histogram(
        edges=edges.tolist(), counts=counts.tolist(), beyond=len(table) - int(counts.sum())
    )


def by_range(table: Predictions) -> list[Estimate]:
    """Return the error of each tenth of the split by its true number, from low to high."""
    edges = range_edges(table.target)
    codes = np.searchsorted(edges, table.target, side="right").astype(np.int64)
    columns = Columns(
        where=table.split,
        error=table.error,
        weight=table.weight,
        group=table.group,
        source=(list(range_names(edges)), codes),
    )
    found = []
    for label, part in summarise(columns).by_source.items():
        low, high = (part.interval.low, part.interval.high) if part.interval else (None, None)
        found.append(Estimate(label=label, error=part.rate, low=low, high=high, n=part.n))
    return found
