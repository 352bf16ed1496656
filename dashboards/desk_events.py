"""From what a browser posts to entries of the ledger; each is checked alone, none is lost."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from dashboards import books, data, desk_data
from dashboards.who import Person
from gapwise.errors import GapwiseError, UsageError, did_you_mean, shown
from gapwise.ledger import answers, labels, tags
from gapwise.ledger.answers import Answer
from gapwise.ledger.conflict import ConflictError
from gapwise.ledger.event import Entry
from gapwise.ledger.labels import LABEL, OPINION, Review
from gapwise.ledger.tags import TagSetting

Fields = Mapping[str, Any]


def save(run_id: str, split: str, events: list[Any], by: Person) -> dict[str, Any]:
    """Append what was posted; return which keys are saved, and which are refused and why.

    A label that another changed meanwhile comes back with theirs: the browser asks and sends again.

    Raises:
        GapwiseError: the ledger cannot be written, nothing was saved; or no such run.
    """
    dataset = data.dataset_of(run_id)
    desk_data.check_open(run_id, split)
    entries: list[Entry] = []
    refused: list[dict[str, Any]] = []
    for event in events:
        try:
            entries.append(_entry(_Subject(run_id, split, dataset, by), event))
        except (GapwiseError, KeyError, TypeError, ValueError) as error:
            refused.append({"key": _key(event), "why": _why(error)})
    saved, revision = [], 0
    for entry, found in zip(entries, books.ledger().append_all(entries), strict=True):
        if isinstance(found, ConflictError):
            refused.append({"key": entry.key, "why": str(found), "conflict": _theirs(found)})
        else:
            saved.append(entry.key)
            revision = max(revision, found.seq)
    revision = revision or books.ledger().revision()
    return {"saved": saved, "refused": refused, "revision": revision}


class _Subject:
    def __init__(self, run_id: str, split: str, dataset: str, by: Person) -> None:
        self.run_id = run_id
        self.split = split
        self.dataset = dataset
        self.by = by
        self.author = by.name


def _entry(subject: _Subject, event: Fields) -> Entry:
    key, do = str(event["key"]), str(event["do"])
    if not key:
        raise UsageError("an event needs a key of its own; make one")
    if do not in _MAKERS:
        raise UsageError(f"do {shown(do)!r}: {did_you_mean(do, _MAKERS)}")
    subject.by.must("lead" if do in _OF_LEADS else "tagger", _SAID.get(do, f"to {do}"))
    return replace(_MAKERS[do](subject, event), key=key)


def _tag(subject: _Subject, event: Fields) -> Entry:
    name, on = _example(subject, event), bool(event.get("on", True))
    return tags.tagged(subject.dataset, name, str(event["tag"]), author=subject.author, on=on)


def _comment(subject: _Subject, event: Fields) -> Entry:
    name = _example(subject, event)
    return tags.commented(subject.dataset, name, str(event["text"]), author=subject.author)


def _read(subject: _Subject, event: Fields) -> Entry:
    name, on = _example(subject, event), bool(event.get("on", True))
    return tags.marked_read(subject.dataset, name, author=subject.author, on=on)


def _setting(subject: _Subject, event: Fields) -> Entry:
    effort = event.get("effort")
    one = TagSetting(
        tag=str(event["tag"]),
        hotkey=str(event.get("hotkey") or ""),
        effort=None if effort in (None, "") else float(str(effort)),
    )
    return tags.setting(subject.dataset, one, author=subject.author)


def _review(subject: _Subject, event: Fields) -> Entry:
    return _judged(subject, event, LABEL, seen=int(event["seen"]))


def _opinion(subject: _Subject, event: Fields) -> Entry:
    return _judged(subject, event, OPINION, seen=None)


def _judged(subject: _Subject, event: Fields, kind: str, seen: int | None) -> Entry:
    name = _example(subject, event)
    given = desk_data.given(subject.run_id, subject.split, name)
    label, verdict = str(event.get("label") or given), str(event["verdict"])
    if verdict == "change" and label == given:
        verdict = "keep"  # back to the label of the data
    review = Review(
        example_id=name,
        verdict=verdict,  # type: ignore[arg-type]  # checked by ``reviewed``
        given=given,
        label=label,
        split=subject.split,
        campaign=str(event.get("campaign") or ""),
        queue=str(event.get("queue") or ""),
        author=subject.author,
    )
    reason = str(event.get("reason") or "")
    return labels.reviewed(subject.dataset, review, seen=seen, kind=kind, reason=reason)


def _answer(subject: _Subject, event: Fields) -> Entry:
    seconds = event.get("seconds")
    name = _example(subject, event)
    answer = Answer(
        example_id=name,
        given=desk_data.given(subject.run_id, subject.split, name),
        label=str(event["label"]),
        distribution=str(event["distribution"]),
        author=subject.author,
        seconds=None if seconds is None else float(seconds),
    )
    return answers.answered(subject.dataset, answer)


def _example(subject: _Subject, event: Fields) -> str:
    name = str(event["id"])
    desk_data.check_example(subject.run_id, subject.split, name)
    return name


_MAKERS: Final[Mapping[str, Callable[[_Subject, Fields], Entry]]] = {
    "tag": _tag,
    "comment": _comment,
    "read": _read,
    "setting": _setting,
    "review": _review,
    "opinion": _opinion,
    "answer": _answer,
}


_OF_LEADS: Final = {"review"}
"""What changes labels, and with them the scores of every run."""

_SAID: Final = {"review": "changing labels", "tag": "tagging", "answer": "answering"}


def _key(event: Any) -> str:
    return str(event.get("key", "")) if isinstance(event, Mapping) else ""


def _why(error: Exception) -> str:
    if isinstance(error, GapwiseError):
        return str(error)
    if isinstance(error, KeyError):
        return f"the event lacks {shown(error.args[0])!r}; send it"
    return f"the event cannot be read: {shown(error)}"


def _theirs(conflict: ConflictError) -> dict[str, Any]:
    event = conflict.event
    return {
        "by": event.author,
        "at": event.utc,
        "seq": event.seq,
        "label": str(event.value.get("label", "")),
        "verdict": str(event.value.get("verdict", "")),
    }
