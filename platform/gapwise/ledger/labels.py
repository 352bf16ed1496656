"""Label revisions: what people found an example's label to be (notes 4.11).

One reviewer at a time decides: a second who has not seen the first's verdict is told and chooses
(``ConflictError``). A second *opinion* is asked for blindly, changes nothing, and shows how far
people agree. Every event keeps the label that stood in the data, so that any revision can be told
from the events alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, get_args

from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.ledger.event import Entry, Event, short
from gapwise.ledger.ledger import Ledger

LABEL: Final = "label"
OPINION: Final = "opinion"
KINDS: Final = (LABEL, OPINION)

Verdict = Literal["keep", "change", "ambiguous", "unsure", "withdrawn"]
VERDICTS: Final[tuple[str, ...]] = get_args(Verdict)


@dataclass(frozen=True, kw_only=True)
class Review:
    """What somebody says of a label.

    Attributes:
        given: the label in the data.
        label: the label that they hold right: ``given`` unless the verdict is ``change``.
        split: where the example stands, "" where unknown.
        campaign, queue: the campaign that it was reviewed in, and as what; "" for none.
    """

    example_id: str
    verdict: Verdict
    given: str
    label: str
    split: str = ""
    campaign: str = ""
    queue: str = ""
    author: str = ""
    seq: int = 0


@dataclass(kw_only=True)
class LabelBook:
    """The labels of one dataset at a revision.

    Attributes:
        reviews: example → the review that counts; those withdrawn are gone.
        opinions: example → blind second opinions, one an author.
        given: example → its label in the data, for every one that was ever reviewed.
        revision: the last event that was taken.
    """

    reviews: dict[str, Review] = field(default_factory=dict)
    opinions: dict[str, dict[str, Review]] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    revision: int = 0

    def take(self, events: Iterable[Event]) -> None:
        """Fold further events in."""
        for event in events:
            self.revision = event.seq
            if event.kind not in KINDS:
                continue
            review = _review(event)
            self.given.setdefault(review.example_id, review.given)
            if event.kind == OPINION:
                known = self.opinions.get(review.example_id, {})
                self.opinions[review.example_id] = {**known, review.author: review}
            elif review.verdict == "withdrawn":
                self.reviews.pop(review.example_id, None)
            else:
                self.reviews[review.example_id] = review

    def further(self, events: Iterable[Event]) -> "LabelBook":
        """Return this book with further events; this one stays as it is, for whoever reads it."""
        book = replace(
            self,
            reviews=dict(self.reviews),
            opinions=dict(self.opinions),
            given=dict(self.given),
        )
        book.take(events)
        return book

    def labels(self) -> dict[str, str]:
        """Return example → the label that holds, for every one that was ever reviewed."""
        return self.given | {name: review.label for name, review in self.reviews.items()}

    def changed(self) -> dict[str, Review]:
        """Return the reviews whose label is not the one in the data."""
        return {name: one for name, one in self.reviews.items() if one.label != one.given}


def book(ledger: Ledger, dataset: str, until: int | None = None) -> LabelBook:
    """Return the labels of a dataset at a revision, by default the newest.

    Examples that were reviewed only later stand in ``given`` too: what trained on a later revision
    can so be told under an earlier one.
    """
    events = ledger.events(kind=KINDS, dataset=dataset)
    found = LabelBook()
    found.take(event for event in events if until is None or event.seq <= until)
    for event in events:
        found.given.setdefault(event.example_id, str(event.value["given"]))
    return found


def reviewed(
    dataset: str,
    review: Review,
    *,
    seen: int | None = None,
    kind: str = LABEL,
    reason: str = "",
    key: str = "",
) -> Entry:
    """Return the entry of a review; with ``seen`` another's later verdict refuses it.

    Raises:
        UsageError: the verdict is unknown, or the label does not fit it.
    """
    if review.verdict not in VERDICTS:
        raise UsageError(
            f"verdict {shown(review.verdict)!r} is not known; "
            f"{did_you_mean(review.verdict, VERDICTS)}"
        )
    label = short(review.label if review.verdict == "change" else review.given, "a label")
    if review.verdict == "change" and label in ("", review.given):
        raise UsageError(
            f"the label of {shown(review.example_id)!r} is {shown(review.given)!r} already; "
            "name another, or keep it"
        )
    value = {
        "verdict": review.verdict,
        "label": label,
        "given": short(review.given, "a label"),
        "split": review.split,
        "campaign": review.campaign,
        "queue": short(review.queue, "a queue"),
    }
    return Entry(
        dataset=dataset,
        example_id=review.example_id,
        kind=kind,
        value=value,
        author=review.author,
        reason=reason,
        key=key,
        seen=seen,
    )


def relabel(ledger: Ledger, dataset: str, labels: Mapping[str, tuple[str, str]], *, author: str,
            reason: str = "") -> int:  # fmt: skip
    """Append example → (given, label) as reviews in one transaction; return how many changed."""
    entries = [
        reviewed(
            dataset,
            Review(
                example_id=name,
                verdict="keep" if label == given else "change",
                given=given,
                label=label,
                author=author,
            ),
            reason=reason,
        )
        for name, (given, label) in labels.items()
    ]
    ledger.append_all(entries)
    return sum(given != label for given, label in labels.values())


def _review(event: Event) -> Review:
    return Review(
        example_id=event.example_id,
        verdict=event.value["verdict"],
        given=str(event.value["given"]),
        label=str(event.value["label"]),
        split=str(event.value.get("split", "")),
        campaign=str(event.value.get("campaign", "")),
        queue=str(event.value.get("queue", "")),
        author=event.author,
        seq=event.seq,
    )
