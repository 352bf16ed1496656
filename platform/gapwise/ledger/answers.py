"""Blind answers of people to examples: human level, measured (notes 4.7)."""

from dataclasses import dataclass
from typing import Final

from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.ledger.event import Entry, short
from gapwise.ledger.ledger import Ledger

KIND: Final = "answer"
DISTRIBUTIONS: Final = ("train", "target")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one person said of one example without seeing a label or a prediction.

    Attributes:
        label: their answer.
        given: the label in the data, which they did not see.
        distribution: where the example is drawn from: ``train`` or ``target``.
        seconds: how long they took; None where unknown.
    """

    example_id: str
    label: str
    distribution: str
    author: str
    given: str = ""
    seconds: float | None = None


def answered(dataset: str, answer: Answer, *, key: str = "") -> Entry:
    """Return the entry of an answer.

    Raises:
        UsageError: it is empty, or its distribution is unknown.
    """
    if answer.distribution not in DISTRIBUTIONS:
        raise UsageError(
            f"distribution {shown(answer.distribution)!r} is not known; "
            f"{did_you_mean(answer.distribution, DISTRIBUTIONS)}"
        )
    if not answer.label:
        raise UsageError("an answer needs a label; choose one")
    value = {
        "label": short(answer.label, "an answer"),
        "given": short(answer.given, "a label"),
        "distribution": answer.distribution,
        "seconds": None if answer.seconds is None else round(float(answer.seconds), 3),
    }
    return Entry(
        dataset=dataset,
        example_id=answer.example_id,
        kind=KIND,
        value=value,
        author=answer.author,
        key=key,
    )


def given(ledger: Ledger, dataset: str, until: int | None = None) -> list[Answer]:
    """Return the first answer of each person to each example; a second look is not blind.

    ``until`` is the last revision that counts.
    """
    first: dict[tuple[str, str], Answer] = {}
    for event in ledger.events(kind=KIND, dataset=dataset, until=until):
        answer = Answer(
            example_id=event.example_id,
            label=str(event.value["label"]),
            given=str(event.value["given"]),
            distribution=str(event.value["distribution"]),
            author=event.author,
            seconds=event.value.get("seconds"),
        )
        first.setdefault((answer.author, answer.example_id), answer)
    return list(first.values())
