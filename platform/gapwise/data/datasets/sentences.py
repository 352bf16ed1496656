"""Sentences in a table, CSV or Parquet: a text, a label, and what else is known."""

from typing import Literal

import numpy as np

from gapwise.data.base import ReadContext
from gapwise.data.digests import snapshot_of
from gapwise.data.roles import Roles
from gapwise.data.table import read_table
from gapwise.data.word_set import as_words
from gapwise.records import ExampleSet

__all__ = ["sentences"]


def sentences(  # noqa: PLR0913 - what a table may need
    context: ReadContext,
    *,
    path: str,
    text: str = "text",
    words: int = 64,
    columns: dict[str, str | list[str]] | None = None,
    target: Literal["class", "number"] = "class",
    unit: str = "",
    classes: list[str] | dict[str, list[str]] | None = None,
) -> ExampleSet:
    """Read a table of sentences; further columns stay as metadata.

    Args:
        context: where relative paths begin.
        path: the table.
        text: the column of the sentences.
        words: the most words of a sentence; longer ones are set aside.
        columns: role → column, see dataset ``manifest``.
        target: what a single label column holds: classes, or numbers to predict (task: regress).
        unit: what such numbers count.
        classes: class names in order, or label → class names; by default those that occur.

    Raises:
        DataError: the table, an id or a label cannot be used; names the row.
    """
    file = context.root / path
    table = read_table(file)
    roles = Roles(table=table, columns=columns or {}, target=target, classes=classes, unit=unit)
    ids = roles.ids()
    arrays, labels = roles.arrays(ids)
    found = table.text(text)
    rows = [int(row) for row in roles.kept]
    names, places = [ids[row] for row in rows], [table.place(row) for row in rows]
    inputs, kept, aside = as_words([found[row] for row in rows], names, places, words)
    known = {**roles.metadata(roles.others), "text": np.array([found[row] for row in rows])}
    return ExampleSet(
        name=file.stem,
        inputs=inputs,
        classes=labels.only,
        labels=labels,
        metadata={name: values[kept] for name, values in known.items()},
        quarantine=(*roles.unlabelled(ids), *aside),
        snapshot=snapshot_of(file),
        **{name: None if a is None else a[kept] for name, a in arrays.items()},  # type: ignore[arg-type]
    )
