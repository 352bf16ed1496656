"""What pydantic holds against a pipeline, told as one sentence: place, key, value, mend."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from gapwise.errors import did_you_mean, nearest, shown
from gapwise.overrides import dotted_keys, field_at
from gapwise.yaml_reader import Document, KeyPath

_MENDS = {
    "bool_type": "must be true or false",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of key: value",
    "model_type": "must be a mapping of key: value",
    "model_attributes_type": "must be a mapping of key: value",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
}


def sentence(errors: Iterable[ErrorDetails], document: Document) -> str:
    """Tell the most telling of pydantic's errors: an unknown key first, since it explains others.

    Errors of the branches of a union stand at one path and are joined by "or".
    """
    told = [(path_in(document.value, error["loc"]), error) for error in errors]
    told.sort(key=lambda pair: pair[1]["type"] != "extra_forbidden")
    path, first = told[0]
    where = place_of(path, document.places)
    dotted = dotted_key(path)
    if first["type"] == "extra_forbidden":
        return f"{where}: {dotted}: is an unknown key; {_known(path, first)}"
    if first["type"] == "missing":
        return f"{where}: {dotted}: is missing{_misspelt(document.value, path)}; add it"
    mends = [mend(error) for at, error in told if at == path]
    value = value_shown(first["input"])
    if first["type"] == "value_error":
        return f"{where}: {dotted}: {mends[0]}"
    return f"{where}: {dotted}: is {value}, but {joined(mends)}"


def joined(mends: Iterable[str]) -> str:
    """Return several mends as one: must be a whole number or less than 1."""
    first, *others = dict.fromkeys(mends)
    return " or ".join([first, *(other.removeprefix("must be ") for other in others)])


def mend(error: ErrorDetails) -> str:
    """Return what the value must be."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _MENDS:
        numbers = {k: f"{v:g}" for k, v in context.items() if isinstance(v, int | float)}
        return _MENDS[kind].format(**{**context, **numbers})
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    if kind == "string_pattern_mismatch":
        if error["loc"][-1] == "name":
            return "must be the name of a registered part (code cannot be named in a pipeline)"
        field = field_at(tuple(error["loc"]))
        return f"must be one of {(field.description or '').strip('.')}" if field else error["msg"]
    return error["msg"][:1].lower() + error["msg"][1:]


def value_shown(value: Any) -> str:
    """Return a value as YAML would write it, cut; text keeps its quotes, so that '5' is no 5."""
    try:
        return shown(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError):
        return shown(value)


def path_in(value: Any, location: Collection[str | int]) -> KeyPath:
    """Return the part of pydantic's location that is keys: it also names a union's branches."""
    path: list[str | int] = []
    for position, key in enumerate(location):
        is_last = position == len(location) - 1
        if isinstance(value, Mapping) and (key in value or (is_last and _is_word(key))):
            path.append(key)
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int):
            path.append(key)
            value = value[key] if key < len(value) else None
    return tuple(path)


def dotted_key(path: KeyPath) -> str:
    """Return a path as ``training.epochs``, fit for a message."""
    return shown(".".join(map(str, path)), limit=120)


def place_of(path: KeyPath, places: Mapping[KeyPath, str]) -> str:
    """Return where ``path`` was written, or the nearest mapping around it."""
    while path and path not in places:
        path = path[:-1]
    return places.get(path, "pipeline")


def _is_word(key: str | int) -> bool:
    return isinstance(key, str) and re.fullmatch(r"\w+", key) is not None


def _known(path: KeyPath, error: ErrorDetails) -> str:
    """Name the nearest siblings, and keys elsewhere that end in the same word."""
    words = [str(key) for key in path if not isinstance(key, int)]
    prefix, key = ".".join(words[:-1]), words[-1]
    keys = dotted_keys()
    inside = f"{prefix}." if prefix else ""
    siblings = [
        known.removeprefix(inside)
        for known in keys
        if known.startswith(inside) and "." not in known.removeprefix(inside)
    ]
    elsewhere = [known for known in keys if known.endswith(f".{key}")]
    # The same word elsewhere says more than a sibling that looks a little like it.
    if elsewhere and not nearest(key, siblings, likeness=0.75):
        return f"did you mean {' or '.join(elsewhere)}?"
    return did_you_mean(key, siblings)


def _misspelt(value: Any, path: KeyPath) -> str:
    """Return a hint when a key beside the missing one looks like it (parts take any option)."""
    for key in path[:-1]:
        value = value[key]
    close = nearest(str(path[-1]), value, count=1) if isinstance(value, Mapping) else []
    return f" (is {shown(close[0])} meant for it?)" if close else ""
