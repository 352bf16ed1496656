"""Which examples of a run people look at: wrong ones, right ones, flips, suspects, a slice, …

Wrong and right examples come in the seeded order of sampling (``diagnostics.error_table``), so that
reading on continues one random sample; the other views are ranked by what they are called after.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics.error_table import in_order
from gapwise.diagnostics.slice_search import halves
from gapwise.diagnostics.slices import members
from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.ledger.tags import TagBook
from gapwise.records import Predictions
from gapwise.statistics.suspicion import suspicion
from gapwise.tracking.stored import StoredRun
from gapwise.workflows.slices import columns_of, examples_of, pictures_of

Ranked = Literal["unsure", "error", "loss", "suspects", "misses", "false-positives"]
View = Literal["wrong", "right", "all", "fixed", "broken", Ranked]
OF_OBJECTS: Final = {"misses": "misses", "false-positives": "false_positives"}
"""View of detection → the column of the predictions that it is ranked by."""

VIEWS: Final[tuple[str, ...]] = get_args(View)
HALVES: Final = ("all", "eyeball", "blackbox")

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ExampleQuery:
    """What people want to see of one run and split.

    Attributes:
        view: see ``VIEWS``; ``misses`` and ``false-positives`` are of boxes; ``fixed`` and
            ``broken`` are flips against another run.
        half: ``eyeball`` or ``blackbox`` half of the split, or ``all``.
        words: all must stand in an example's id, label, prediction or metadata.
        slice: ``COLUMN=VALUE``, several joined by ``&``.
        tag: only examples that bear it.
    """

    view: str = "wrong"
    half: str = "all"
    words: str = ""
    slice: str = ""
    tag: str = ""


def listed(
    run: StoredRun,
    table: Predictions,
    query: ExampleQuery,
    book: TagBook,
    other: Predictions | None = None,
) -> Rows:
    """Return the rows of ``table`` that a query asks for, in their order.

    Args:
        run: whose pictures give properties to slice by.
        table: the split, under the labels that hold.
        query: what is wanted.
        book: the tags.
        other: the other run's predictions of the split, for flips.

    Raises:
        UsageError: an unknown view or half, or flips without another run.
        DataError: a slice that cannot be read.
    """
    if query.view not in VIEWS:
        raise UsageError(f"view {shown(query.view)!r}: {did_you_mean(query.view, VIEWS)}")
    if query.half not in HALVES:
        raise UsageError(f"half {shown(query.half)!r}: {did_you_mean(query.half, HALVES)}")
    kept = np.full(len(table), fill_value=True)
    if query.half != "all":
        kept &= halves(examples_of(table, {})) == (query.half == "eyeball")
    if query.slice:
        given = columns_of(table) | pictures_of(run, table)
        kept &= members(examples_of(table, given), query.slice)
    if query.tag:
        bearers = [name for name, held in book.tags.items() if query.tag in held]
        kept &= np.isin(table.example_id, np.array(bearers, np.str_))
    if query.words:
        kept &= _found(table, query.words)
    rows = _viewed(table, query.view, other)
    return np.asarray(rows[kept[rows]], np.int64)


def _viewed(table: Predictions, view: str, other: Predictions | None) -> Rows:
    if view in ("wrong", "right"):
        return in_order(table.example_id, np.flatnonzero((table.error > 0) == (view == "wrong")))
    if view == "all":
        return np.arange(len(table))
    if view in ("error", "loss"):
        return np.argsort(-_greatness(table, view), kind="stable")
    if view in OF_OBJECTS:
        counts = _counted(table, view)
        return np.flatnonzero(counts > 0)[np.argsort(-counts[counts > 0], kind="stable")]
    if view in ("fixed", "broken"):
        return _flipped(table, other, view)
    if table.scores is None or table.target.ndim > 1 or table.target.dtype.kind not in "iu":
        raise UsageError(f"view {view} needs scores of classes, which are not here; choose another")
    if view == "unsure":
        return np.argsort(table.scores.max(axis=1), kind="stable")
    doubt, _ = suspicion(table.scores, table.target)
    return np.argsort(-doubt, kind="stable")


def _greatness(table: Predictions, view: str) -> NDArray[np.float64]:
    if view == "error" or table.loss is None:
        return table.error
    return np.nan_to_num(table.loss, nan=np.inf)


def _counted(table: Predictions, view: str) -> NDArray[np.float64]:
    counts = table.metadata.get(OF_OBJECTS[view])
    if counts is None:
        raise UsageError(f"view {view} needs predictions of boxes; choose another for these")
    return np.nan_to_num(counts.astype(np.float64))


def _flipped(table: Predictions, other: Predictions | None, view: str) -> Rows:
    """Return the rows that ``other`` has wrong and ``table`` right (fixed), or the other way."""
    if other is None:
        raise UsageError("flips need another run; choose one")
    _, mine, theirs = np.intersect1d(table.example_id, other.example_id, return_indices=True)
    ours, before = table.error[mine], other.error[theirs]
    moved = ours < before if view == "fixed" else ours > before
    return np.sort(mine[moved]).astype(np.int64)


def _found(table: Predictions, words: str) -> NDArray[np.bool_]:
    columns = [table.example_id, *(v for v in (table.source, table.group) if v is not None)]
    columns += [values.astype(str) for values in table.metadata.values()]
    if table.classes and table.target.ndim == 1:
        names = np.array(table.classes)
        columns += [names[table.target], names[table.predicted]]
    kept = np.full(len(table), fill_value=True)
    for word in words.lower().split():
        kept &= np.any([np.char.find(np.char.lower(c), word) >= 0 for c in columns], axis=0)
    return kept
