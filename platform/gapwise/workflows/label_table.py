"""Tags, labels and comments as one flat table, and back: what `labels export|import` moves.

A row is one thing that somebody says of one example. Raw tables give back exactly what went in;
those for a spreadsheet carry an apostrophe before cells that it would run as a formula.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.ledger import tags
from gapwise.ledger.event import Entry
from gapwise.ledger.labels import LABEL, OPINION, VERDICTS, LabelBook, Review, reviewed
from gapwise.ledger.tags import TagBook

COLUMNS: Final = (
    *("kind", "example_id", "tag", "label", "given", "verdict", "text"),
    *("split", "campaign", "queue", "author"),
)
KINDS: Final = (LABEL, OPINION, tags.TAG, tags.COMMENT, tags.READ)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What an import needs to know beside the file.

    Attributes:
        dataset: whose examples.
        given: example → its label in the data; empty where the table must tell it.
        author: who imports; rows that name an author keep theirs.
        source: the file's name, for the reason.
    """

    dataset: str
    given: Mapping[str, str]
    author: str
    source: str


def rows(labels: LabelBook, tagged: TagBook) -> list[dict[str, str]]:
    """Return what holds now as rows: reviews, opinions, tags, comments and reads."""
    found = [_review_row(LABEL, one) for one in labels.reviews.values()]
    found += [
        _review_row(OPINION, one) for each in labels.opinions.values() for one in each.values()
    ]
    for name, held in tagged.tags.items():
        found += [_row(tags.TAG, name, tag=tag, author=author) for tag, author in held.items()]
    found += [_row(tags.COMMENT, n, text=text) for n, text in tagged.comments.items() if text]
    said = {name for name, held in tagged.tags.items() if held}
    said |= {name for name, text in tagged.comments.items() if text}
    found += [_row(tags.READ, name) for name in sorted(tagged.read - said)]
    return found


def entries(table: Iterable[Row], known: Known) -> list[Entry]:
    """Return the ledger entries of a table's rows.

    Their keys follow from the rows, so that a file that is imported twice counts once.

    Raises:
        DataError: a row that cannot be read; names it.
    """
    found = []
    for number, row in enumerate(table, start=1):
        try:
            found.append(_entry(row, number, known))
        except UsageError as error:
            raise DataError(f"row {number}: {error}") from error
    return found


def to_csv(table: Sequence[Row], *, spreadsheet: bool = False) -> str:
    """Return rows as CSV; for a ``spreadsheet`` no cell can be taken for a formula."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in table:
        cells = {name: row[name] for name in COLUMNS}
        writer.writerow({k: _guarded(v) for k, v in cells.items()} if spreadsheet else cells)
    return stream.getvalue()


def from_csv(text: str, *, spreadsheet: bool = False) -> Iterator[dict[str, str]]:
    """Give the rows of a CSV; one of a ``spreadsheet`` loses the apostrophes that guard it.

    Raises:
        DataError: it has no column ``example_id``, or a row is too long.
        csv.Error: it is no CSV.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""))
    check_names(reader.fieldnames or [])
    for row in reader:
        if None in row:
            raise DataError(f"line {reader.line_num} has more cells than columns; quote its commas")
        cells = {name: value or "" for name, value in row.items()}
        yield {k: _unguarded(v) for k, v in cells.items()} if spreadsheet else cells


def check_names(names: Sequence[str]) -> None:
    """Refuse a table whose rows tell of no example.

    Raises:
        DataError: it has no column ``example_id``.
    """
    if "example_id" not in names:
        raise DataError(
            f"the table has no column 'example_id' ({did_you_mean('example_id', names)}); add one"
        )


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith((*FORMULA, "'")) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") else cell


def _row(kind: str, example_id: str, **values: str) -> dict[str, str]:
    return {**dict.fromkeys(COLUMNS, ""), "kind": kind, "example_id": example_id, **values}


def _review_row(kind: str, one: Review) -> dict[str, str]:
    return _row(
        kind,
        one.example_id,
        label=one.label,
        given=one.given,
        verdict=one.verdict,
        split=one.split,
        campaign=one.campaign,
        queue=one.queue,
        author=one.author,
    )


def _entry(row: Row, number: int, known: Known) -> Entry:
    kind = row.get("kind") or (LABEL if row.get("label") or row.get("verdict") else tags.TAG)
    name, author = row["example_id"], row.get("author") or known.author
    if kind not in KINDS:
        raise DataError(f"row {number}: kind {shown(kind)!r}; {did_you_mean(kind, KINDS)}")
    if not name:
        raise DataError(f"row {number}: example_id is empty; name the example")
    if kind == tags.TAG:
        entry = tags.tagged(known.dataset, name, row.get("tag", ""), author=author)
    elif kind == tags.COMMENT:
        entry = tags.commented(known.dataset, name, row.get("text", ""), author=author)
    elif kind == tags.READ:
        entry = tags.marked_read(known.dataset, name, author=author)
    else:
        entry = _reviewed(row, number, known, kind, author)
    cells = [
        known.dataset,
        known.source,
        *(text for key in sorted(row) for text in (key, row[key])),
    ]
    key = f"import {sha256(json.dumps(cells).encode()).hexdigest()}"
    return Entry(**{**vars(entry), "key": key, "reason": f"imported from {known.source}"})


def _reviewed(row: Row, number: int, known: Known, kind: str, author: str) -> Entry:
    name = row["example_id"]
    given = row.get("given") or known.given.get(name, "")
    if not given:
        raise DataError(
            f"row {number}: nothing says what the label of {shown(name)!r} is in the data; add a "
            "column given, or name a run that has it with --run"
        )
    label = row.get("label") or given
    verdict = row.get("verdict") or ("keep" if label == given else "change")
    if verdict not in VERDICTS:
        raise DataError(
            f"row {number}: verdict {shown(verdict)!r}; {did_you_mean(verdict, VERDICTS)}"
        )
    review = Review(
        example_id=name,
        verdict=verdict,  # type: ignore[arg-type]  # checked above
        given=given,
        label=label,
        split=row.get("split", ""),
        campaign=row.get("campaign", ""),
        queue=row.get("queue", ""),
        author=author,
    )
    return reviewed(known.dataset, review, kind=kind)
