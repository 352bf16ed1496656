"""What the desk shows: lists of examples, one example in full, and the caching of both."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboards import books, breakdown, data, example_data
from dashboards.books import Books
from gapwise.diagnostics.error_table import SAMPLE, ErrorTable
from gapwise.errors import UsageError, shown
from gapwise.ledger import looks
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.statistics.suspicion import suspicion
from gapwise.workflows import error_table
from gapwise.workflows.example_list import ExampleQuery, listed
from gapwise.workflows.neighbours import Neighbourhood, neighbourhood
from gapwise.workflows.wrong_pairs import WrongPairs, wrong_pairs

MOST_OTHERS: Final = 8
MOST_SCORES: Final = 5
MOST_METADATA: Final = 12
MOST_WORDS: Final = 4
TEXT: Final = "text"
"""The column of sentences."""

PAGE: Final = 60


def rows(run_id: str, split: str, query: ExampleQuery, other: str = "") -> NDArray[np.int64]:
    """Return the rows of a split that a query asks for, in their order.

    Raises:
        UsageError, DataError: see ``example_list.listed``.
    """
    known = of_run(run_id)
    revision = (known.labels.revision, known.tags.revision if query.tag else 0)
    return _rows(run_id, split, query, other, revision)


def page(
    run_id: str, split: str, query: ExampleQuery, other: str, offset: int, limit: int
) -> dict[str, Any]:
    """Return a part of the list that a query asks for, as ``part`` does."""
    return part(run_id, split, rows(run_id, split, query, other), offset, limit)


def part(
    run_id: str,
    split: str,
    found: NDArray[np.int64],
    offset: int,
    limit: int,
    *,
    blind: bool = False,
) -> dict[str, Any]:
    """Return some rows of a split as plain values: ``total``, ``items``, the ledger's revision.

    ``blind`` shows labels as they came with the data, and nobody's review.
    """
    revision = books.ledger().revision()
    known, table = of_run(run_id), data.predictions(run_id, split)
    items = [_item(table, int(row), known) for row in found[offset : offset + limit]]
    if not example_data.has_pictures(run_id):
        _add_words(run_id, table, found[offset : offset + limit], items)
    if blind:
        items = [
            item | {"review": None, "label": known.labels.given.get(item["id"], item["label"])}
            for item in items
        ]
    return {"total": len(found), "offset": offset, "revision": revision, "items": items}


def one(run_id: str, split: str, example_id: str) -> dict[str, Any]:
    """Return all that is known of one example, as plain values.

    Raises:
        UsageError: the split has no such example.
    """
    table = data.predictions(run_id, split)
    row = place(table, example_id)
    known = of_run(run_id)
    # The text of a sentence stands above them already.
    known_of_it = {name: values for name, values in table.metadata.items() if name != TEXT}
    metadata = {name: _told(values[row]) for name, values in known_of_it.items()}
    item = _item(table, row, known)
    classes = {"given": item["label"], "suggested": item["suggested"]}
    return {
        **item,
        "scores": _scores(table, row),
        "metadata": dict(list(metadata.items())[:MOST_METADATA]),
        "inputs": {name: values[0] for name, values in _inputs(run_id, [example_id]).items()},
        "others": _others(run_id, split, example_id),
        "pairs": _pairs(run_id, split, example_id),
        "neighbours": _near(run_id, split, example_id, known.labels.labels()),
        "sides": {
            side: _near(run_id, split, example_id, known.labels.labels(), name)
            for side, name in classes.items()
            if name
        },
    }


def table(run_id: str, split: str, sample: int) -> dict[str, Any]:
    """Return the error table with the tags' settings, as plain values."""
    known, made = of_run(run_id), whole_table(run_id, split, sample)
    document = made.as_json()
    del document["examples"]
    return document | {
        "settings": [vars(setting) for setting in known.tags.settings.values()],
        "step": SAMPLE,
    }


def whole_table(run_id: str, split: str, sample: int) -> ErrorTable:
    """Return the error table with its examples."""
    table = data.predictions(run_id, split)
    return error_table.of_book(run_id, table, of_run(run_id).tags, sample)


def of_run(run_id: str) -> Books:
    """Return the tags and labels of a run's dataset."""
    return books.of_dataset(data.dataset_of(run_id))


def check_open(run_id: str, split: str) -> None:
    """Refuse a look at test that nobody counted.

    Raises:
        UsageError: nobody has asked for the test error of this run yet.
    """
    if split == "test" and run_id not in looks.seen(books.ledger(), data.dataset_of(run_id)):
        raise UsageError(
            "the test set was not looked at with this run; show the test error on What next first: "
            "it is counted"
        )


def place(table: Predictions, example_id: str) -> int:
    """Return the row of an example.

    Raises:
        UsageError: the split has no such example.
    """
    found = np.flatnonzero(table.example_id == example_id)
    if not len(found):
        raise UsageError(f"{table.split} has no example {shown(example_id)!r}")
    return int(found[0])


def check_example(run_id: str, split: str, example_id: str) -> None:
    """Refuse an example that the split does not have.

    Raises:
        UsageError: see above.
    """
    if example_id not in _names(run_id, split):
        raise UsageError(f"{split} has no example {shown(example_id)!r}")


def given(run_id: str, split: str, example_id: str) -> str:
    """Return the label of an example in the data, whatever was said of it since."""
    stored = of_run(run_id).labels.given.get(example_id)
    if stored is not None:
        return stored
    table = data.predictions(run_id, split)
    return breakdown.example(table, place(table, example_id)).target


def _item(table: Predictions, row: int, known: Books) -> dict[str, Any]:
    shown_as = breakdown.example(table, row)
    name = shown_as.example_id
    review = known.labels.reviews.get(name)
    return {
        "id": name,
        "label": shown_as.target,
        "said": shown_as.predicted,
        "right": shown_as.error == 0,
        "error": round(shown_as.error, 4) if 0 < shown_as.error < 1 else None,
        "sure": shown_as.sure,
        "loss": None if shown_as.loss is None or np.isnan(shown_as.loss) else shown_as.loss,
        "source": shown_as.source,
        "tags": known.tags.of(name),
        "comment": known.tags.comments.get(name, ""),
        "read": name in known.tags.read,
        "review": None if review is None else {**vars(review)},
        "suggested": _suggested(table, row),
    }


def _told(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float | np.floating) else str(value)


def _add_words(
    run_id: str, table: Predictions, rows: NDArray[np.int64], items: list[dict[str, Any]]
) -> None:
    """Tell an example that has no picture by its text, or by its first features."""
    if TEXT in table.metadata:
        for row, item in zip(rows, items, strict=True):
            item["words"] = str(table.metadata[TEXT][row])
        return
    known = list(_inputs(run_id, [item["id"] for item in items]).items())[:MOST_WORDS]
    for row, item in enumerate(items):
        cells = ((name, values[row]) for name, values in known)
        told = (f"{n} {v:,.6g}" if isinstance(v, float) else f"{n} {v}" for n, v in cells)
        item["words"] = " · ".join(told)


def _inputs(run_id: str, example_ids: Sequence[str]) -> Mapping[str, Sequence[Any]]:
    """Return feature → its value for each example, a category as one; {} without features."""
    return breakdown.categories_whole(example_data.inputs(run_id, example_ids))


def _suggested(table: Predictions, row: int) -> str:
    if table.scores is None or table.target.ndim > 1 or table.target.dtype.kind not in "iu":
        return ""
    _, best = suspicion(table.scores[row : row + 1], table.target[row : row + 1])
    return table.classes[int(best[0])] if table.classes else str(best[0])


def _scores(table: Predictions, row: int) -> list[tuple[str, float]]:
    if table.scores is None or not table.classes:
        return []
    best = np.argsort(-table.scores[row])[:MOST_SCORES]
    return [(table.classes[k], round(float(table.scores[row, k]), 4)) for k in best]


def _others(run_id: str, split: str, example_id: str) -> list[dict[str, Any]]:
    """Return what other runs of the dataset say of the example, the newest first."""
    found: list[dict[str, Any]] = []
    for other, name in data.comparable(mate=run_id).items():
        if len(found) == MOST_OTHERS:
            break
        if split in data.run(other).splits():
            table = data.predictions(other, split)
            at = np.flatnonzero(table.example_id == example_id)
            if len(at):
                said = breakdown.example(table, int(at[0]))
                found.append({"run": name, "said": said.predicted, "right": said.error == 0})
    return found


def _near(
    run_id: str, split: str, example_id: str, labels: Mapping[str, str], label: str | None = None
) -> list[dict[str, Any]]:
    around = _neighbourhood(run_id, split)
    if around is None:
        return []
    return [vars(one) for one in around.near(example_id, labels=labels, label=label)]


@st.cache_resource(show_spinner=False, max_entries=32)
def _rows(
    run_id: str, split: str, query: ExampleQuery, other: str, revision: tuple[int, ...]
) -> NDArray[np.int64]:
    found = data.run(run_id)
    return listed(
        found,
        data.predictions(run_id, split),
        query,
        books.of_dataset(found.dataset).tags,
        data.predictions(other, split) if other else None,
    )


@st.cache_resource(show_spinner=False, max_entries=16)
def _names(run_id: str, split: str) -> frozenset[str]:
    return frozenset(data.predictions(run_id, split).example_id.tolist())


def _pairs(run_id: str, split: str, example_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return the pairs that a verifier decides wrongly: what was said → the other pictures."""
    known = _wrong_pairs(run_id, split)
    if known is None:
        return {}
    rejected, accepted = known.of(example_id)
    found = {"said to be somebody else": rejected, "said to be the same person": accepted}
    return {told: [vars(pair) for pair in pairs] for told, pairs in found.items() if pairs}


@st.cache_resource(show_spinner=False, max_entries=4)
def _wrong_pairs(run_id: str, split: str) -> WrongPairs | None:
    return wrong_pairs(run_id, split, Settings.read())


@st.cache_resource(show_spinner=False, max_entries=4)
def _neighbourhood(run_id: str, split: str) -> Neighbourhood | None:
    return neighbourhood(data.run(run_id), split, Settings.read())
