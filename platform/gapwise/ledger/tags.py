"""Tags, comments and reads of error analysis: what people saw in an example (notes 4.10).

Several tags an example, by several people: a tag holds while the latest event about it says so. An
example counts as read once it was tagged, commented, or marked as read. Nothing here conflicts: two
people who tag one example add to each other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gapwise.errors import UsageError, shown
from gapwise.ledger.event import LONGEST_REASON, Entry, Event, short
from gapwise.ledger.ledger import Ledger

TAG: Final = "tag"
COMMENT: Final = "comment"
READ: Final = "read"
SETTING: Final = "tag_setting"
KINDS: Final = (TAG, COMMENT, READ, SETTING)

MISLABELED: Final = "incorrectly labeled"
AMBIGUOUS: Final = "ambiguous"
BUILT_IN: Final[Mapping[str, str]] = {MISLABELED: "m", AMBIGUOUS: "a"}
"""Tags that every dataset has, with their keys."""


@dataclass(frozen=True, kw_only=True)
class TagSetting:
    """How a dataset's people use a tag.

    Attributes:
        tag: its name.
        hotkey: one letter or digit, "" for none.
        effort: what fixing the category would cost, in a unit of the team's own; None while nobody
            said.
    """

    tag: str
    hotkey: str = ""
    effort: float | None = None


@dataclass(kw_only=True)
class TagBook:
    """The tags of one dataset at a revision; ``take`` brings it further.

    Attributes:
        tags: example → tags that hold, each with who set it last.
        comments: example → the latest comment.
        read: examples that somebody read.
        settings: tag → its setting; the built-in ones first, then in the order they came up.
        revision: the last event that was taken.
    """

    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    settings: dict[str, TagSetting] = field(
        default_factory=lambda: {n: TagSetting(tag=n, hotkey=k) for n, k in BUILT_IN.items()}
    )
    revision: int = 0

    def take(self, events: Iterable[Event]) -> None:
        """Fold further events in; of other kinds than these nothing is kept."""
        for event in events:
            self.revision = event.seq
            if event.kind == SETTING:
                self._set(event.value)
            elif event.kind == TAG:
                self._tag(event)
            elif event.kind == COMMENT:
                self.comments[event.example_id] = str(event.value["text"])
                self._mark(event.example_id, on=bool(event.value["text"]))
            elif event.kind == READ:
                self._mark(event.example_id, on=bool(event.value["on"]))

    def further(self, events: Iterable[Event]) -> "TagBook":
        """Return this book with further events; this one stays as it is, for whoever reads it."""
        book = replace(
            self,
            tags=dict(self.tags),
            comments=dict(self.comments),
            read=set(self.read),
            settings=dict(self.settings),
        )
        book.take(events)
        return book

    def of(self, example_id: str) -> list[str]:
        """Return the tags of an example, in the order in which they were set."""
        return list(self.tags.get(example_id, ()))

    def _tag(self, event: Event) -> None:
        tag, held = str(event.value["tag"]), dict(self.tags.get(event.example_id, ()))
        self.settings.setdefault(tag, TagSetting(tag=tag))
        if event.value["on"]:
            held[tag] = event.author
            self.read.add(event.example_id)
        else:
            held.pop(tag, None)
        self.tags[event.example_id] = held

    def _mark(self, example_id: str, *, on: bool) -> None:
        if on:
            self.read.add(example_id)
        elif not self.tags.get(example_id) and not self.comments.get(example_id):
            self.read.discard(example_id)

    def _set(self, value: Mapping[str, Any]) -> None:
        tag = str(value["tag"])
        effort = value.get("effort")
        self.settings[tag] = TagSetting(
            tag=tag,
            hotkey=str(value.get("hotkey", "")),
            effort=None if effort is None else float(effort),
        )


def book(ledger: Ledger, dataset: str, until: int | None = None) -> TagBook:
    """Return the tags of a dataset at a revision, by default the newest."""
    found = TagBook()
    found.take(ledger.events(kind=KINDS, dataset=dataset, until=until))
    return found


def tagged(dataset: str, example_id: str, tag: str, *, author: str, on: bool = True) -> Entry:
    """Return the entry that sets a tag, or takes it away.

    Raises:
        UsageError: the tag is empty or too long.
    """
    return Entry(
        dataset=dataset,
        example_id=example_id,
        kind=TAG,
        value={"tag": named(tag), "on": on},
        author=author,
    )


def commented(dataset: str, example_id: str, text: str, *, author: str) -> Entry:
    """Return the entry that sets an example's comment; "" takes it away."""
    value = {"text": short(text, "a comment", LONGEST_REASON)}
    return Entry(dataset=dataset, example_id=example_id, kind=COMMENT, value=value, author=author)


def marked_read(dataset: str, example_id: str, *, author: str, on: bool = True) -> Entry:
    """Return the entry that says: looked at, nothing to tag."""
    value = {"on": on}
    return Entry(dataset=dataset, example_id=example_id, kind=READ, value=value, author=author)


def setting(dataset: str, one: TagSetting, *, author: str) -> Entry:
    """Return the entry that gives a tag its key and its effort.

    Raises:
        UsageError: the key is no single letter or digit, or the effort is no positive number.
    """
    if one.hotkey and not (len(one.hotkey) == 1 and one.hotkey.isalnum()):
        raise UsageError(f"key {shown(one.hotkey)!r} is no single letter or digit; write one")
    if one.effort is not None and not 0 < one.effort < float("inf"):
        raise UsageError(f"effort {shown(one.effort)} is no positive number; write 1, 2 or 3")
    value = {"tag": named(one.tag), "hotkey": one.hotkey.lower(), "effort": one.effort}
    return Entry(dataset=dataset, kind=SETTING, value=value, author=author)


def named(tag: str) -> str:
    """Return a tag's name as it is kept: without space around it.

    Raises:
        UsageError: it is empty or too long.
    """
    name = " ".join(tag.split())
    if not name:
        raise UsageError("a tag needs a name; write a word or two, as 'thin stroke'")
    return short(name, "a tag")
