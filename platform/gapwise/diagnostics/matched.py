"""The notes' table of 4.14: who errs how much, in the general and in the target distribution.

Rows: people; the network on examples that it trained on; the network on examples that it did not.
Columns: the general distribution (all sources but the target) and the target.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gapwise.diagnostics.errors_by_split import SplitErrors
from gapwise.diagnostics.evidence import Evidence
from gapwise.records import HumanLevel
from gapwise.statistics.intervals import Clusters, Interval, clustered, wilson

ROWS = ("human", "trained on", "not trained on")
COLUMNS = ("general", "target")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell: an error with its 95 % interval and n, or why there is none.

    Attributes:
        row, column: one of ``ROWS``, one of ``COLUMNS``.
        error, low, high: fractions of 1; None where unknown.
        n: examples.
        source: who measured it, or the splits that it stands on.
        why: why there is no error, or no interval.
    """

    row: str
    column: str
    error: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    source: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The 2 × 3 table, with the same figures source by source.

    Attributes:
        target: the name of the target source; "" where train and dev are one distribution.
        cells: the six cells, row by row.
        by_source: source → its "trained on" and "not trained on" cells.
    """

    target: str
    cells: tuple[Cell, ...]
    by_source: Mapping[str, tuple[Cell, Cell]]

    def cell(self, row: str, column: str) -> Cell:
        """Return one of the six cells."""
        return next(cell for cell in self.cells if (cell.row, cell.column) == (row, column))

    def rows(self) -> list[dict[str, Any]]:
        """Return the cells as plain values, those of the network with ``by_source``.

        ``by_source`` is source → error, low, high and n, of the sources that the cell pools.
        """
        return [asdict(cell) | {"by_source": self._shares(cell)} for cell in self.cells]

    def _shares(self, cell: Cell) -> dict[str, dict[str, Any]]:
        if cell.row not in ROWS[1:] or cell.error is None:
            return {}
        position = ROWS[1:].index(cell.row)
        pairs = {
            name: pair[position]
            for name, pair in self.by_source.items()
            if (name == self.target) == (cell.column == "target")
        }
        return {
            name: {key: getattr(share, key) for key in ("error", "low", "high", "n")}
            for name, share in pairs.items()
            if share.error is not None
        }

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def matched(evidence: Evidence, *, test: bool = False) -> Matched:
    """Return the table with whatever cells the data gives.

    "Not trained on" takes train-dev for the general distribution, and dev (with ``test``, the test
    examples too) and the target's examples of train-dev for the target. With several seeds it
    shows the first run.
    """
    target = _target(evidence)
    untouched = ("train_dev", "dev", "test") if test else ("train_dev", "dev")
    trained, unseen = _parts(evidence, ("train",)), _parts(evidence, untouched)
    sources = sorted({name for name, _ in (*trained, *unseen)})
    cells = [_human(evidence, column) for column in COLUMNS]
    for row, parts in zip(ROWS[1:], (trained, unseen), strict=True):
        for column in COLUMNS:
            # Where there is no target, what has no source ("") is general as well.
            wanted = [n for n in sources if (bool(n) and n == target) == (column == "target")]
            cells.append(_cell(row, column, parts, wanted, one=evidence.same_distribution))
    by_source = {
        name: (
            _cell(ROWS[1], name, trained, [name], one=False),
            _cell(ROWS[2], name, unseen, [name], one=False),
        )
        for name in sources
        if name
    }
    return Matched(target=target, cells=tuple(cells), by_source=by_source)


Parts = list[tuple[str, tuple[str, SplitErrors]]]


def _target(evidence: Evidence) -> str:
    """The target's name: stated in the pipeline, else the only source of dev."""
    stated = evidence.pipeline.get("splits", {}).get("target")
    if stated or evidence.same_distribution:
        return str(stated or "")
    for split in ("dev", "test"):
        runs = evidence.splits.get(split, ())
        if runs and len(runs[0].by_source) == 1:
            return next(iter(runs[0].by_source))
    return "target"


def _parts(evidence: Evidence, splits: tuple[str, ...]) -> Parts:
    """Every (source, (split, errors)); dev and test without sources are the target's."""
    parts: Parts = []
    for split in splits:
        for errors in evidence.splits.get(split, ())[:1]:
            sources = dict(errors.by_source) or {
                _target(evidence) if split in ("dev", "test") else "": errors
            }
            parts += [(name, (split, found)) for name, found in sources.items()]
    return parts


def _cell(row: str, column: str, parts: Parts, wanted: list[str], *, one: bool) -> Cell:
    found = [part for name, part in parts if name in wanted]
    if not found:
        why = f"no {'training' if row == ROWS[1] else 'held-out'} examples of this distribution"
        if one and column == "target":
            why = "train and dev are one distribution"
        return Cell(row=row, column=column, why=why)
    errors = [errors for _, errors in found]
    rate, interval = _pooled(errors)
    return Cell(
        row=row,
        column=column,
        error=rate,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=sum(part.n for part in errors),
        source=" + ".join(dict.fromkeys(split for split, _ in found)),
        why="" if interval else "all examples are of one group",
    )


def _pooled(errors: list[SplitErrors]) -> tuple[float, Interval | None]:
    wrongs = [part.wrong for part in errors if part.wrong is not None]
    n = sum(part.n for part in errors)
    if len(wrongs) == len(errors):
        return sum(wrongs) / n, wilson(sum(wrongs), n)
    clusters = [_clusters(part) for part in errors]
    binary = all(part.most is not None for part in clusters)
    together = Clusters(
        totals=np.concatenate([part.totals for part in clusters]),
        weights=np.concatenate([part.weights for part in clusters]),
        most=sum(part.most or 0.0 for part in clusters) if binary else None,
    )
    return together.rate, clustered(together)


def _clusters(errors: SplitErrors) -> Clusters:
    if errors.clusters is not None:
        return errors.clusters
    wrong = errors.wrong or 0
    totals = np.concatenate([np.ones(wrong), np.zeros(errors.n - wrong)])
    return Clusters(totals, np.ones(errors.n), float(errors.n))


def _human(evidence: Evidence, column: str) -> Cell:
    distribution = "train" if column == "general" else "target"
    levels = [level for level in evidence.human if level.distribution == distribution]
    level: HumanLevel | None = min(levels, key=lambda found: found.error, default=None)
    if level is None:
        return Cell(row="human", column=column, why="nobody measured it")
    shown = wilson(level.error * level.n, level.n) if level.n else None
    return Cell(
        row="human",
        column=column,
        error=level.error,
        low=shown.low if shown else None,
        high=shown.high if shown else None,
        n=level.n,
        source=level.source,
        why="" if shown else "measured on an unknown number of examples",
    )
