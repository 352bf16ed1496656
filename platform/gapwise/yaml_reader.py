"""A YAML 1.2 document as plain values, with the place of each: what user files are read with.

Only the parser's events are used, never a constructor, so no tag can make an object. Plain scalars
follow the core schema of YAML 1.2 (section 10.3): ``1e-3`` is a number, ``no`` and ``1:30`` are
words, ``012`` is twelve. Aliases, tags and repeated keys are errors.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scanner import Scanner

from gapwise.errors import PipelineError, shown

MAX_BYTES = 1_000_000
MAX_DEPTH = 50

KeyPath = tuple[str | int, ...]

_NULL = re.compile(r"(null|Null|NULL|~|)\Z")
_TRUE = re.compile(r"(true|True|TRUE)\Z")
_FALSE = re.compile(r"(false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)\Z")
_NAN = re.compile(r"\.(nan|NaN|NAN)\Z")
_MAX_DIGITS = 400


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a file says: ``value``, and ``places``, the ``label:line:column`` of each path in it."""

    value: Any
    places: dict[KeyPath, str] = field(default_factory=dict)


def read(text: str, label: str) -> Document:
    """Read one YAML 1.2 document; ``label`` names it in messages.

    Raises:
        PipelineError: not YAML, or YAML that a user file may not use: an alias, a tag, a repeated
            key, several documents, more than ``MAX_DEPTH`` levels or ``MAX_BYTES`` bytes.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise PipelineError(f"{label}: is larger than {MAX_BYTES // 1_000_000} MB; shorten it")
    try:
        return _Reader(text, label).document()
    except _TooDeepError as error:
        raise PipelineError(f"{label}: lies deeper than {MAX_DEPTH} levels; flatten it") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{label}:{mark.line + 1}:{mark.column + 1}" if mark else label
        raise PipelineError(f"{where}: is not YAML: {_problem(error)}; mend the line") from error
    except (YAMLError, ValueError, UnicodeError) as error:
        first = shown(str(error).partition("\n")[0])
        raise PipelineError(f"{label}: is not YAML: {first}; save it as UTF-8 text") from error


def scalar(text: str) -> Any:
    """Return the value of a plain scalar by the core schema of YAML 1.2."""
    for pattern, value in ((_NULL, None), (_TRUE, True), (_FALSE, False), (_NAN, float("nan"))):
        if pattern.match(text):
            return value
    if infinite := _INFINITE.match(text):
        return float(f"{infinite[1]}inf")
    if len(text) > _MAX_DIGITS:
        return text
    for pattern, base in ((_INT, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.match(text):
            return int(text, base)
    return float(text) if _FLOAT.match(text) else text


def _problem(error: MarkedYAMLError) -> str:
    return shown(" ".join(str(error.problem or error.context or "unreadable").split()))


class _TooDeepError(Exception):
    """The scanner met more brackets inside brackets than may be."""


class _Scanner(Scanner):
    """ruamel's scanner looks 1,024 characters ahead, at a cost that grows as brackets squared."""

    def fetch_flow_collection_start(self, token_class: Any, to_push: str) -> None:
        if self.flow_level > MAX_DEPTH:
            raise _TooDeepError
        super().fetch_flow_collection_start(token_class, to_push)


class _Reader:
    """Turns the parser's events into values, keeping the place of each."""

    def __init__(self, text: str, label: str) -> None:
        self.label = label
        self.places: dict[KeyPath, str] = {}
        yaml = YAML(typ="safe", pure=True)
        yaml.Scanner = _Scanner
        self.events: Iterator[Any] = iter(yaml.parse(text))

    def document(self) -> Document:
        """Read the only document; an empty one is null."""
        value: Any = None
        documents = 0
        for event in self.events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    self._refuse(event, "starts a second document; keep one a file")
                if event.version not in (None, (1, 2)):
                    self._refuse(event, "asks for another YAML than 1.2; take the line out")
                value = self._value(next(self.events), ())
        return Document(value=value, places=self.places)

    def _value(self, event: Any, path: KeyPath) -> Any:
        kind = type(event).__name__
        if kind == "AliasEvent":
            self._refuse(event, f"uses the alias *{shown(event.anchor)}; write the value out")
        if getattr(event, "tag", None) is not None:
            self._refuse(event, f"carries the tag {shown(event.tag)}; tags are not used here")
        if len(path) > MAX_DEPTH:
            self._refuse(event, f"lies deeper than {MAX_DEPTH} levels; flatten it")
        self.places[path] = self._place(event)
        if kind == "MappingStartEvent":
            return self._mapping(path)
        if kind == "SequenceStartEvent":
            return self._sequence(path)
        plain = event.implicit[0]
        return scalar(event.value) if plain else event.value

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while type(event := next(self.events)).__name__ != "MappingEndEvent":
            if type(event).__name__ != "ScalarEvent" or event.tag is not None:
                self._refuse(event, "has a key that is no word; write key: value")
            key, line = event.value, event.start_mark.line + 1
            if key in values:
                name = ".".join(map(str, (*path, shown(key))))
                self._refuse(
                    event, f"{name}: stands on line {lines[key]} and again on line {line}; keep one"
                )
            lines[key] = line
            values[key] = self._value(next(self.events), (*path, key))
            # A key's own place says more than that of its value, which may be an empty one.
            self.places[(*path, key)] = self._place(event)
        return values

    def _sequence(self, path: KeyPath) -> list[Any]:
        values: list[Any] = []
        while type(event := next(self.events)).__name__ != "SequenceEndEvent":
            values.append(self._value(event, (*path, len(values))))
        return values

    def _place(self, event: Any) -> str:
        return f"{self.label}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"

    def _refuse(self, event: Any, why: str) -> NoReturn:
        raise PipelineError(f"{self._place(event)}: {why}")
