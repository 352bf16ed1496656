"""The quiz behind human level: whom to show, and what people's answers say (notes 4.7)."""

from collections.abc import Collection
from typing import Final

import numpy as np

from gapwise.diagnostics.error_table import in_order
from gapwise.diagnostics.people import BlindAnswer, People, people
from gapwise.errors import DataError
from gapwise.ledger import answers, labels
from gapwise.ledger.ledger import Ledger
from gapwise.records import Distribution, Predictions
from gapwise.tracking.stored import StoredRun

SPLITS: Final[dict[Distribution, tuple[str, ...]]] = {
    "train": ("train_dev", "train"),
    "target": ("dev",),
}
"""Where each distribution's examples are drawn from; never from test."""


def split_of(run: StoredRun, distribution: Distribution) -> str:
    """Return the split that people are asked about.

    Raises:
        DataError: the run has no predictions of one.
    """
    for split in SPLITS[distribution]:
        if split in run.splits():
            return split
    raise DataError(
        f"run {run.run_id} has no predictions of {' or '.join(SPLITS[distribution])} to "
        "draw from; name another run"
    )


def drawn(table: Predictions, n: int, answered: Collection[str]) -> list[str]:
    """Return the examples of a seeded random sample of ``n`` that are not answered yet."""
    order = in_order(table.example_id, np.arange(len(table)))[:n]
    return [name for name in table.example_id[order].tolist() if name not in answered]


def answered_by(ledger: Ledger, dataset: str, author: str) -> set[str]:
    """Return the examples that a person answered."""
    given = answers.given(ledger, dataset)
    return {answer.example_id for answer in given if answer.author == author}


def results(ledger: Ledger, dataset: str, revision: int | None = None) -> People:
    """Return what people's answers say, held against the labels of a revision, by default now."""
    given = answers.given(ledger, dataset, revision)
    known = labels.book(ledger, dataset, revision).labels() if given else {}
    return people(
        [
            BlindAnswer(
                person=answer.author,
                example_id=answer.example_id,
                distribution="train" if answer.distribution == "train" else "target",
                said=answer.label,
                label=known.get(answer.example_id, answer.given),
                seconds=answer.seconds,
            )
            for answer in given
        ]
    )
