"""One entry of the ledger, and the hash that chains it to the one before."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gapwise.errors import UsageError, shown

LONGEST_TEXT = 256
"""Characters of a short text: a name, a kind, a tag."""

LONGEST_REASON = 4000
"""Characters of a reason or a comment."""

LONGEST_VALUE = 100_000
"""Characters of a value as JSON."""

FIRST_HASH = "0" * 64
"""What stands before the first event."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened, to which example, who says so and what they had seen.

    Attributes:
        seq: the position, from 1 without a gap; the order of events, whatever clocks said.
        key: made by whoever appends, so that the same event sent twice is one event.
        seen: the revision that the author saw; None where that does not matter.
        utc: for people; nothing is ordered by it.
    """

    seq: int
    key: str
    dataset: str
    example_id: str
    kind: str
    value: Mapping[str, Any]
    author: str
    reason: str
    utc: str
    seen: int | None
    prev_hash: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be appended; see ``Event`` for the fields.

    Attributes:
        key: made by the caller to be able to send the entry again without doubling it; "" makes
            one.
        seen: None appends whatever happened since.
    """

    dataset: str
    kind: str
    value: Mapping[str, Any]
    author: str
    example_id: str = ""
    reason: str = ""
    key: str = ""
    seen: int | None = None


def digest(fields: Mapping[str, Any], value: str) -> str:
    """Return the hash of an event: SHA-256 over all its fields and the hash before it."""
    names = ("seq", "key", "dataset", "example_id", "kind", "author", "reason", "utc", "seen")
    content = [*(fields[name] for name in names), value, fields["prev_hash"]]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: Mapping[str, Any]) -> str:
    """Return ``value`` as the one JSON text that is stored and hashed.

    Raises:
        UsageError: it holds what JSON cannot, NUL, or too much.
    """
    try:
        text = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise UsageError(f"a ledger value must be JSON ({shown(error)})") from error
    if len(text) > LONGEST_VALUE:
        raise UsageError(
            f"a ledger value has {len(text)} characters; keep it to {LONGEST_VALUE}, "
            "or store a file and name it"
        )
    _each_text(value)
    return text


def short(text: str, what: str, longest: int = LONGEST_TEXT) -> str:
    """Return ``text`` when it may stand in the ledger.

    Raises:
        UsageError: it is too long, or holds NUL or half a character.
    """
    if len(text) > longest:
        raise UsageError(
            f"{what} has {len(text)} characters ({shown(text, 40)}); keep it to {longest}"
        )
    if "\0" in text:
        raise UsageError(f"{what} {shown(text)!r} holds a NUL character; remove it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{what} {shown(text)!r} holds half a character; remove it") from None
    return text


def _each_text(value: Any) -> None:
    if isinstance(value, str):
        short(value, "a text in a ledger value", LONGEST_REASON)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            short(str(key), "a key in a ledger value")
            _each_text(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _each_text(item)
