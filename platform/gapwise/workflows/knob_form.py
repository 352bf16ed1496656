"""The knobs of a pipeline as a form: what each is, what it holds, and what may stand in it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gapwise import pipeline_file
from gapwise.overrides import fields_of
from gapwise.pipeline import Pipeline
from gapwise.workflows.part_reference import SLOTS, Slot, parts_of
from gapwise.workflows.pipeline_values import MISSING, value_at
from gapwise.workflows.reference import words

Kind = Literal["switch", "choice", "part", "text"]

GROUPS: Mapping[str, str] = {
    "training.optimizer": "Optimizer",
    "training.schedule": "Schedule",
    "network": "Network",
    "training.augmentation": "Augmentation",
    "training": "Training",
    "splits": "Splits",
    "task": "Task",
}
"""The groups of the form by the section that each shows, the more particular first."""

ORDER = ("Training", "Optimizer", "Schedule", "Network", "Augmentation", "Splits", "Task")


@dataclass(frozen=True, kw_only=True)
class Field:
    """One knob.

    Attributes:
        key: its dotted key.
        group: under which it stands.
        kind: a switch, a choice of ``options``, the name of a part, which brings options of its
            own, or a value that is typed as in the file.
        value: what it holds, as it would be typed.
        options: of a choice or a part.
        says: what it is for, and what may stand in it.
    """

    key: str
    group: str
    kind: Kind
    value: str
    options: tuple[str, ...] = ()
    says: str = ""


def fields(pipeline: Pipeline) -> list[Field]:
    """Return every knob of the groups, in the order in which people turn them."""
    resolved = pipeline_file.resolve(pipeline)
    found = [*_of_sections(resolved), *_of_parts(resolved)]
    return sorted(found, key=lambda one: ORDER.index(one.group))


def changes(before: Sequence[Field], typed: Mapping[str, str]) -> list[str]:
    """Return the overrides that make of a pipeline what was typed; a part's name comes first."""
    changed = [one for one in before if typed.get(one.key, one.value).strip() != one.value]
    names = {one.key for one in changed if one.kind == "part"}
    kept = [
        one
        for one in changed
        # The options of a part that is exchanged are the new one's own.
        if one.key in names or one.key.rpartition(".")[0] not in names
    ]
    ordered = sorted(kept, key=lambda one: (one.key not in names, one.key))
    return [f"{one.key}={typed[one.key].strip()}" for one in ordered]


def _of_sections(resolved: Mapping[str, Any]) -> Iterator[Field]:
    document = Pipeline.model_json_schema()["$defs"]
    for key, field, inner in fields_of(Pipeline):
        group, above = _group(key), key.rpartition(".")[0]
        if group is None or inner is not None or above not in GROUPS:
            continue
        schema = document[above.rpartition(".")[2].capitalize()]["properties"][key.split(".")[-1]]
        yield _field(key, group, schema, value_at(resolved, key), field.description or "")


def _of_parts(resolved: Mapping[str, Any]) -> Iterator[Field]:
    for slot in SLOTS:
        group, held = _group(slot.key), value_at(resolved, slot.key)
        if group is None or not isinstance(held, Mapping):
            continue
        yield _name_of(slot, group, held)
        known = next(part for part in parts_of(slot) if part.name == held["name"])
        for option in known.options:
            key = f"{slot.key}.{option.name}"
            yield _field(key, group, option.schema, value_at(resolved, key), option.says)


def _name_of(slot: Slot, group: str, held: Mapping[str, Any]) -> Field:
    return Field(
        key=slot.key,
        group=group,
        kind="part",
        value=str(held["name"]),
        options=tuple(slot.family.names()),
        says=f"Which {slot.family.noun}.",
    )


def _field(key: str, group: str, schema: dict[str, Any], value: Any, says: str) -> Field:
    text = "" if value is MISSING else _typed(value)
    told = f"{says} ({words(schema)})"
    if schema.get("type") == "boolean":
        return Field(key=key, group=group, kind="switch", value=text, says=says)
    options = tuple(_typed(one) for one in schema.get("enum", ()))
    kind: Kind = "choice" if options and text in options else "text"
    return Field(key=key, group=group, kind=kind, value=text, options=options, says=told)


def _group(key: str) -> str | None:
    """Return the group that a key stands in, None where it stands in none."""
    return next((name for start, name in GROUPS.items() if _within(key, start)), None)


def _within(key: str, start: str) -> bool:
    return key == start or key.startswith(f"{start}.")


def _typed(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
