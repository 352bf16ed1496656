"""The error table of notes 4.10: what share of the errors each tag holds, and what fixing it gains.

Shares are of a random sample of the errors, in a seeded order that never changes: reading on
continues the sample. Tags of examples outside it were chosen by somebody and count nowhere. A tag's
ceiling is the error of the split if all that bears the tag were right; several tags of one example
are counted once in a union.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics import words
from gapwise.diagnostics.errors_by_split import Columns, group_keys, summarise
from gapwise.records import Predictions, plain
from gapwise.statistics.intervals import Interval

SAMPLE: Final = 100
"""Errors that a sample holds at first, and that "100 more" adds."""

MISLABELED: Final = "incorrectly labeled"
"""The tag of notes 4.11."""

MOST_UNIONS: Final = 3

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Tagged:
    """What people saw in examples.

    Attributes:
        tags: example → its tags.
        read: examples that somebody read, tagged or not.
        efforts: tag → what fixing it costs.
        comments: example → comment.
    """

    tags: Mapping[str, Collection[str]] = field(default_factory=dict)
    read: Collection[str] = frozenset()
    efforts: Mapping[str, float | None] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TagRow:
    """One tag, or several together.

    Attributes:
        tags: one, or those of a union.
        count: errors that bear it, of those read.
        share: of the errors read, by weight, with its 95 % interval.
        ceiling: error of the split if these were right, with the interval that the share's gives.
        gain: what that takes off the error.
        effort: what people say it costs; of a union the sum; None where one is not known.
    """

    tags: tuple[str, ...]
    count: int
    share: float
    low: float | None
    high: float | None
    ceiling: float
    ceiling_low: float | None
    ceiling_high: float | None
    gain: float
    effort: float | None = None

    @property
    def name(self) -> str:
        """What people read."""
        return " or ".join(self.tags)

    @property
    def gain_per_effort(self) -> float:
        """Gain by unit of effort; an effort that nobody stated counts as 1."""
        return self.gain / (self.effort or 1.0)

    @property
    def most(self) -> float:
        """The most that fixing it can gain, at the upper end of the share's interval."""
        end = self.share if self.high is None else self.high
        return self.gain * end / self.share if self.share else 0.0


@dataclass(frozen=True, kw_only=True)
class ErrorTable:
    """The table of one run and split.

    Attributes:
        run_id, split, error, n: what was judged.
        errors: wrong examples of the split.
        sampled: how many of them the sample states.
        read: how many of the sample were read.
        skipped: errors of the sample before the last one read that are not read themselves.
        outside: errors that were tagged without being in the sample; they count nowhere.
        rows: the tags, the greatest gain by effort first.
        unions: the first two tags together, the first three, ….
        examples: the sampled errors that were read: example, tags, comment.
    """

    run_id: str
    split: str
    error: float
    n: int
    errors: int
    sampled: int
    read: int
    skipped: int
    outside: int
    rows: tuple[TagRow, ...]
    unions: tuple[TagRow, ...]
    examples: tuple[Mapping[str, Any], ...]

    @property
    def says(self) -> str:
        """One sentence, or two."""
        if not self.read:
            return f"None of the {self.errors:,} errors was read yet: tag some on the page Errors."
        basis = f"{self.read:,} of {self.errors:,} errors read at random"
        if not self.rows:
            return f"{basis}; none was tagged."
        best = self.rows[0]
        left = self.sampled - self.read
        unread = f" {left:,} of the sample are not read yet." if left else ""
        if self.skipped:
            unread = (
                f" {self.skipped:,} before the last one read were skipped: read them too, or what "
                "was read was chosen and the shares mean little."
            )
        return (
            f"{basis}: {best.name} holds {words.percent(best.share)}"
            f"{words.span(best.low, best.high)} of them; without it the error is "
            f"{words.percent(best.ceiling)} instead of {words.percent(self.error)}.{unread}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``errors --json``."""
        document: dict[str, Any] = plain(asdict(self))
        for key, rows in (("rows", self.rows), ("unions", self.unions)):
            for row, one in zip(document[key], rows, strict=True):
                row |= {"name": one.name, "gain_per_effort": one.gain_per_effort}
        return document | {"says": self.says}


def in_order(example_id: NDArray[np.str_], rows: Rows, seed: int = 0) -> Rows:
    """Return ``rows`` in the seeded order of sampling, which other examples do not change."""
    names = example_id[rows].tolist()
    keys = [blake2b(f"{seed}\0{name}".encode(), digest_size=8).digest() for name in names]
    return rows[np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)]


def stated(ids: Sequence[str], read: Collection[str], least: int = SAMPLE) -> int:
    """Return how many of ``ids``, in the order of sampling, the sample states.

    A hundred at first; a further hundred as soon as half of it was read.
    """
    size = min(least, len(ids))
    while size < len(ids):
        further = ids[size : size + SAMPLE]
        if 2 * sum(name in read for name in further) < len(further):
            break
        size += len(further)
    return size


def error_table(
    table: Predictions, tagged: Tagged, *, run_id: str, least: int = SAMPLE, seed: int = 0
) -> ErrorTable:
    """Return the error table of a split.

    Args:
        table: the predictions, under the labels that hold.
        tagged: what people saw.
        run_id: the run.
        least: the sample states at least so many errors.
        seed: of the sample.
    """
    wrong = in_order(table.example_id, np.flatnonzero(table.error > 0), seed)
    names = table.example_id[wrong].tolist()
    size = stated(names, tagged.read, least)
    seen = np.array([name in tagged.read for name in names[:size]], np.bool_)
    rows = wrong[:size][seen]
    held = [set(tagged.tags.get(str(name), ())) for name in table.example_id[rows]]
    sample, efforts = _Sample(table, rows, held), tagged.efforts
    alone = [sample.row((tag,), efforts) for tag in sample.tags]
    ranked = sorted(alone, key=lambda row: (-row.gain_per_effort, row.name))
    leading = [row.tags[0] for row in ranked[: MOST_UNIONS + 1]]
    unions = [sample.row(tuple(leading[:k]), efforts) for k in range(2, len(leading) + 1)]
    return ErrorTable(
        run_id=run_id,
        split=table.split,
        error=sample.error,
        n=len(table),
        errors=len(wrong),
        sampled=size,
        read=len(rows),
        skipped=int(np.flatnonzero(seen).max(initial=-1)) + 1 - len(rows),
        outside=sum(bool(tagged.tags.get(name)) for name in names[size:]),
        rows=tuple(ranked),
        unions=tuple(unions),
        examples=tuple(
            {
                "example_id": str(name),
                "tags": sorted(own),
                "comment": tagged.comments.get(str(name), ""),
            }
            for name, own in zip(table.example_id[rows], held, strict=True)
        ),
    )


class _Sample:
    """The errors that were read, with their tags."""

    def __init__(self, table: Predictions, rows: Rows, held: list[set[str]]) -> None:
        self.held = held
        self.tags = sorted(set().union(*held)) if held else []
        self.error = float(np.average(table.error, weights=table.weight)) if len(table) else 0.0
        self._weight = (table.weight * table.error)[rows]
        group = group_keys(table.group)
        self._group = None if group is None else group[rows]

    def row(self, tags: tuple[str, ...], efforts: Mapping[str, float | None]) -> TagRow:
        bears = np.array([not held.isdisjoint(tags) for held in self.held], np.float64)
        part = summarise(
            Columns(where="errors", error=bears, weight=self._weight, group=self._group)
        )
        share, interval = part.rate, part.interval
        ends = (interval.low, interval.high) if interval else (None, None)
        ceilings = _ceilings(self.error, interval)
        costs = [efforts.get(tag) for tag in tags]
        return TagRow(
            tags=tags,
            count=int(bears.sum()),
            share=share,
            low=ends[0],
            high=ends[1],
            ceiling=self.error * (1 - share),
            ceiling_low=ceilings[0],
            ceiling_high=ceilings[1],
            gain=self.error * share,
            effort=None if None in costs else sum(cost for cost in costs if cost is not None),
        )


def _ceilings(error: float, share: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if share is None else (error * (1 - share.high), error * (1 - share.low))
