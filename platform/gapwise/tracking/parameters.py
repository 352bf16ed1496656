"""Parameters as MLflow's text and back: 0.1 and "0.1" stay apart."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gapwise.records import plain

LONGEST_VALUE = 6000
"""Characters that MLflow keeps of a value; it cuts what is longer without a word."""


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as dotted keys with plain values.

    One whose keys are names from data (``>50K``), which no parameter may have, stays a value.
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value and all(map(_is_name, value)):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = plain(value)
    return found


def _is_name(key: Any) -> bool:
    return bool(str(key).strip(".")) and all(c.isalnum() or c in "_.- :" for c in str(key))


def encode(value: Any) -> str:
    """Return ``value`` as text; a string that reads as a number is quoted."""
    if isinstance(value, str):
        return json.dumps(value) if _parse(value)[0] else value
    return json.dumps(value, ensure_ascii=False)


def decode(text: str) -> Any:
    """Return the value that ``encode`` was given."""
    is_json, value = _parse(text)
    return value if is_json else text


def short(text: str) -> str:
    """Return ``text`` as MLflow keeps it whole: cut, with a word of where the rest is."""
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[: LONGEST_VALUE - 40]}… ({len(text)} characters, whole in run.json)"


@lru_cache(maxsize=65536)
def _parse(text: str) -> tuple[bool, Any]:
    try:
        return True, json.loads(text)
    except ValueError:
        return False, None
