"""One process for dev and test: what the reviews of a campaign show (notes 4.11)."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gapwise.diagnostics import label_review, words
from gapwise.diagnostics.agreement import Agreement, agreement
from gapwise.diagnostics.compare import compare
from gapwise.diagnostics.label_review import Gathered, LabelNoise, Stratum, gathered, kind_of
from gapwise.diagnostics.worth_fixing import Worth, worth_fixing
from gapwise.errors import DataError
from gapwise.ledger import labels
from gapwise.ledger.campaigns import Campaign
from gapwise.ledger.labels import LabelBook
from gapwise.records import Predictions
from gapwise.workflows.campaign_members import Members, predicted_names

QUEUES: Final = ("suspects", "wrong", "right")
_METADATA: Final = 12
"""Columns of metadata that label errors are looked for in."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many of a campaign's examples of one split and queue were reviewed, and changed."""

    split: str
    queue: str
    of: int
    reviewed: int
    changed: int


@dataclass(frozen=True, kw_only=True)
class Review:
    """What a campaign has shown so far.

    Attributes:
        coverage: by split and queue.
        noise: by split, what wrong labels do.
        gathered: where wrong labels gather, and ``kind`` in one sentence.
        agreement: of second opinions with the first.
        disagree: examples on which a second opinion differs from the review that counts.
        worth: whether fixing can change which run is best; None with one run alone.
        warns: what is lopsided, "" where nothing is.
    """

    coverage: tuple[Coverage, ...]
    noise: tuple[LabelNoise, ...]
    gathered: tuple[Gathered, ...]
    kind: str
    agreement: Agreement
    disagree: tuple[str, ...]
    worth: Worth | None
    warns: str


def review(
    campaign: Campaign,
    covered: Mapping[str, Members],
    book: LabelBook,
    best: Sequence[Predictions] = (),
) -> Review:
    """Return what the reviews of a campaign show.

    Args:
        campaign: the rule.
        covered: ``members(campaign)``.
        book: the labels as they stand.
        best: the two best runs' predictions of dev, the better one first.
    """
    noise = tuple(_noise(split, one, book) for split, one in covered.items())
    mislabeled, columns = _reviewed(covered, book)
    found = gathered(mislabeled, columns)
    both = [
        (book.reviews[name], opinion)
        for name, opinions in book.opinions.items()
        for opinion in opinions.values()
        if name in book.reviews and opinion.author != book.reviews[name].author
    ]
    told = [(_answer(first), _answer(second)) for first, second in both]
    coverage = _coverage(covered, book)
    return Review(
        coverage=coverage,
        noise=noise,
        gathered=found,
        kind=kind_of(found, int(mislabeled.sum())),
        agreement=agreement([a for a, _ in told], [b for _, b in told]),
        disagree=tuple(
            first.example_id for (first, _), (a, b) in zip(both, told, strict=True) if a != b
        ),
        worth=_worth(best, noise),
        warns=_warns(campaign, coverage),
    )


def _noise(split: str, one: Members, book: LabelBook) -> LabelNoise:
    said = dict(zip(one.table.example_id.tolist(), predicted_names(one.table), strict=True))
    strata = []
    for kind in ("wrong", "right"):
        names = _random_part(one.queues[kind], book)
        seen = [book.reviews[name] for name in names]
        bad = [review for review in seen if review.label != review.given]
        back = kind == "wrong"
        flipped = sum((said[review.example_id] == review.label) == back for review in bad)
        strata.append(
            Stratum(
                population=one.population[kind],
                reviewed=len(seen),
                mislabeled=len(bad),
                flipped=flipped,
            )
        )
    return label_review.label_noise(split, *strata)


def _random_part(queue: Sequence[str], book: LabelBook) -> list[str]:
    """Return the decided examples of a random sample that were reviewed as such, in its order.

    That is the sample as far as it is reviewed without a gap. Of a sample that is not finished,
    those at its end that were reviewed as suspects are left out: they were chosen.
    """
    part = list(itertools.takewhile(book.reviews.__contains__, queue))
    if len(part) < len(queue):
        while part and book.reviews[part[-1]].queue == "suspects":
            part.pop()
    return [name for name in part if book.reviews[name].verdict in ("keep", "change")]


def _reviewed(
    covered: Mapping[str, Members], book: LabelBook
) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.str_]]]:
    """Return who was mislabeled among the reviewed, and the columns that this may gather in."""
    rows: list[dict[str, str]] = []
    for split, one in covered.items():
        places = {str(name): row for row, name in enumerate(one.table.example_id)}
        said = predicted_names(one.table)
        few = {
            name: values.astype(str)
            for name, values in list(one.table.metadata.items())[:_METADATA]
            if len(np.unique(values.astype(str))) <= len(values) // 2
        }
        for name, review in book.reviews.items():
            row = places.get(name)
            if row is None or review.verdict not in ("keep", "change"):
                continue
            facts = {"label and prediction": f"{review.given} → {said[row]}", "split": split}
            facts["class"] = review.given
            if one.table.source is not None:
                facts["source"] = str(one.table.source[row])
            facts |= {column: str(values[row]) for column, values in few.items()}
            rows.append(facts | {"": "1" if review.label != review.given else "0"})
    names = sorted({name for facts in rows for name in facts} - {""})
    columns = {name: np.array([facts.get(name, "") for facts in rows], np.str_) for name in names}
    return np.array([facts[""] == "1" for facts in rows], np.bool_), columns


def _coverage(covered: Mapping[str, Members], book: LabelBook) -> tuple[Coverage, ...]:
    return tuple(
        Coverage(
            split=split,
            queue=queue,
            of=len(one.queues[queue]),
            reviewed=sum(name in book.reviews for name in one.queues[queue]),
            changed=sum(
                name in book.reviews and book.reviews[name].label != book.reviews[name].given
                for name in one.queues[queue]
            ),
        )
        for split, one in covered.items()
        for queue in QUEUES
    )


def _answer(review: labels.Review) -> str:
    return review.label if review.verdict in ("keep", "change") else f"({review.verdict})"


def _worth(best: Sequence[Predictions], noise: Sequence[LabelNoise]) -> Worth | None:
    if len(best) < 2:
        return None
    try:
        compare(best[0], best[1])
    except DataError:
        return None
    _, first, second = np.intersect1d(best[0].example_id, best[1].example_id, return_indices=True)
    dev = next((one.of_error for one in noise if one.split == "dev"), None)
    return worth_fixing(best[0].error[first], best[1].error[second], dev)


def _warns(campaign: Campaign, coverage: Sequence[Coverage]) -> str:
    """Say which split was reviewed less than the other: they would no longer be alike."""
    share = {}
    for split in campaign.splits:
        rows = [row for row in coverage if row.split == split]
        of = sum(row.of for row in rows)
        share[split] = sum(row.reviewed for row in rows) / of if of else 1.0
    if len(share) < 2 or max(share.values()) == 0:
        return ""
    least, most = min(share, key=share.__getitem__), max(share, key=share.__getitem__)
    if share[most] - share[least] < 0.1:
        return ""
    return (
        f"{words.of_rung(most)} is reviewed to {words.percent(share[most])}, "
        f"{words.of_rung(least)} to {words.percent(share[least])}: finish {words.of_rung(least)} "
        "by the same rule before a corrected error is read, or the two are no longer alike."
    )


def as_json(found: Review) -> dict[str, Any]:
    """Return a review as plain values."""
    return {
        "coverage": [vars(row) for row in found.coverage],
        "noise": [label_review.as_json(one) for one in found.noise],
        "gathered": [vars(one) for one in found.gathered],
        "kind": found.kind,
        "agreement": label_review.as_json(found.agreement),
        "disagree": list(found.disagree),
        "worth": None if found.worth is None else label_review.as_json(found.worth),
        "warns": found.warns,
    }
