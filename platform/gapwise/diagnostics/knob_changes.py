"""What changed between two pipelines: as knobs, each with the gap that it acts on (notes 4.2)."""

from collections.abc import Mapping
from typing import Any

_SILENT = ("name", "description")
_ACTS_ON = (
    *((f"training.{key}", "variance") for key in ("l2", "augmentation", "early_stopping")),
    ("network.dropout", "variance"),
    ("training.weight_average", "variance"),
    ("training", "avoidable_bias"),
    ("network", "avoidable_bias"),
    ("transfer", "variance"),
    ("prediction", "variance"),
    ("data.synthesize", "data_mismatch"),
    ("data", "variance"),
    ("splits", "data_mismatch"),
)
"""Start of a dotted key → the gap that it acts on; the first that fits counts."""


def knobs_changed(
    a: Mapping[str, Any] | None, b: Mapping[str, Any] | None
) -> dict[str, tuple[Any, Any]]:
    """Return the dotted keys in which two resolved pipelines differ, with both values.

    Of a part or a transfer that only one of them has, the key that names it stands for all.
    """
    flat_a, flat_b = _flat(a or {}), _flat(b or {})
    keys = [key for key in {**flat_a, **flat_b} if key.split(".")[0] not in _SILENT]
    return {
        key: (flat_a.get(key), flat_b.get(key))
        for key in sorted(keys)
        if flat_a.get(key) != flat_b.get(key) and not _is_detail(key, flat_a, flat_b)
    }


def acts_on(key: str) -> str:
    """Return the gap that a key of a pipeline acts on first, "" for the seed and what has none.

    Orthogonalization (notes 4.2): bias by network and optimization, variance by regularization and
    data, mismatch by where the data comes from.
    """
    if key == "seed":
        return ""
    found = (gap for start, gap in _ACTS_ON if key == start or key.startswith(f"{start}."))
    return next(found, "")


def credit(changed: Mapping[str, Any]) -> str:
    """Return whether the difference can be credited to one knob (notes 4.2, orthogonalization)."""
    knobs = [key for key in changed if key != "seed"]
    if len(knobs) > 1:
        return f"{len(knobs)} knobs moved, so the difference cannot be credited to any one of them"
    return f"{knobs[0]} alone moved" if knobs else "no knob moved"


def _is_detail(key: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Return whether ``key`` says how something works that one of the pipelines does not have."""
    section = key.rpartition(".")[0]
    named_by = "transfer.start" if section == "transfer" else f"{section}.name"
    return key != named_by and (named_by in a) != (named_by in b)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        elif value is not None:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat
