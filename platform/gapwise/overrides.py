"""Dotted overrides (``training.epochs=5``) and the dotted keys that a pipeline may set."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gapwise import yaml_reader
from gapwise.errors import PipelineError, shown
from gapwise.pipeline import Pipeline
from gapwise.pipeline_parts import Part
from gapwise.yaml_reader import Document, KeyPath


def apply(document: Document, override: str) -> None:
    """Set one dotted key of ``document`` in place, as if it stood so in the file.

    The value is read as YAML; where only text can stand, a number stays the text that it is, for a
    run's id may be all digits. A part's bare name becomes ``{name: …}`` when one of its options is
    set; naming a part anew drops the options of the one before.

    Raises:
        PipelineError: not ``key=value``, or the key leads into a value that holds no keys.
    """
    label = f"override {shown(override)}"
    dotted, sign, text = override.partition("=")
    keys = dotted.strip().split(".")
    if not sign or not all(keys):
        raise PipelineError(f"{label}: is no override; write key=value, as in training.epochs=5")
    value = yaml_reader.read(text, label).value
    path: KeyPath = ()
    inner = document.value
    for key in keys[:-1]:
        inner, path = _enter(inner, path, key, label)
        document.places.setdefault(path, label)
    last = _position(inner, path, keys[-1], label)
    inner[last] = (
        text.strip() if _is_number(value) and _takes_text(field_at((*path, last))) else value
    )
    for known in [known for known in document.places if known[: len(path) + 1] == (*path, last)]:
        del document.places[known]
    document.places[(*path, last)] = label


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _takes_text(field: FieldInfo | None) -> bool:
    """Whether a field takes text, and no numbers."""
    kinds = {field.annotation, *get_args(field.annotation)} if field else set()
    return str in kinds and not kinds & {int, float}


def field_at(path: KeyPath) -> FieldInfo | None:
    """Return the model's field at ``path``, or None: an option of a part has none."""
    model: type[BaseModel] | None = Pipeline
    field: FieldInfo | None = None
    for key in path:
        if isinstance(key, int):
            continue
        if field is not None and _by_key(field):
            field = None  # a key of the user's own: what it holds is of the model at hand
            continue
        field = model.model_fields.get(key) if model else None
        model = _model_of(field.annotation) if field else None
    return field


def fields_of(
    model: type[BaseModel], prefix: str = ""
) -> Iterator[tuple[str, FieldInfo, type[BaseModel] | None]]:
    """Give (dotted key, field, the model of the section or part there, if any) for every key."""
    for name, field in model.model_fields.items():
        inner = _model_of(field.annotation)
        yield f"{prefix}{name}", field, inner
        if inner is not None and inner is not Part:
            own = f"{OWN_KEY}." if _by_key(field) else ""
            yield from fields_of(inner, f"{prefix}{name}.{own}")


OWN_KEY = "KEY"
"""Stands in a dotted key where users write keys of their own."""


def _by_key(field: FieldInfo) -> bool:
    """Whether a field holds sections under keys of the user's own."""
    return get_origin(field.annotation) is dict


def dotted_keys() -> list[str]:
    """Return every dotted key of the pipeline's model; options of parts are not among them."""
    return [key for key, _, _ in fields_of(Pipeline)]


def _enter(inner: Any, path: KeyPath, key: str, label: str) -> tuple[Any, KeyPath]:
    """Step into ``key``, making the mapping that the model holds there when the file has none."""
    place = _position(inner, path, key, label)
    path = (*path, place)
    held = inner.get(place) if isinstance(inner, dict) else inner[place]
    if held is None:
        held = _default_at(path)
    if isinstance(held, str) and is_part(path):
        held = {"name": held}
    inner[place] = held
    return held, path


def _position(inner: Any, path: KeyPath, key: str, label: str) -> str | int:
    if isinstance(inner, dict):
        return key
    if isinstance(inner, list) and key.isascii() and key.isdigit() and int(key) < len(inner):
        return int(key)
    where = shown(".".join(map(str, path))) or "the pipeline"
    kind = f"a list of {len(inner)}" if isinstance(inner, list) else f"the value {shown(inner)}"
    raise PipelineError(f"{label}: {where} is {kind} and has no key {shown(key)}; set {where}=…")


def _default_at(path: KeyPath) -> dict[str, Any] | list[dict[str, Any]]:
    """Return what is absent starts from: the default part or sections, else an empty mapping."""
    field = field_at(path)
    default = field.default if field else None
    if isinstance(default, tuple) and default:
        return [one.model_dump(mode="json") for one in default]
    return {"name": default.name, **default.options} if isinstance(default, Part) else {}


def is_part(path: KeyPath) -> bool:
    """Return whether a part stands at ``path`` in the model."""
    field = field_at(path)
    return field is not None and _model_of(field.annotation) is Part


def _model_of(annotation: Any) -> type[BaseModel] | None:
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None
