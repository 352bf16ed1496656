"""Pipeline files: found, read as YAML 1.2, overridden, validated and written out again.

Nothing that a file names is imported, except registered parts by ``check_options``. Environment
variables are not expanded; a secret is referred to as ``secret:NAME`` and read from the environment
only when it is handed to a part, so it never reaches a log, a run or a resolved copy.
"""

import inspect
import io
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter

from gapwise import overrides as dotted
from gapwise import pipeline_errors, yaml_reader
from gapwise.errors import PipelineError, did_you_mean, remember_secret, shown
from gapwise.pipeline import Pipeline
from gapwise.pipeline_parts import Part
from gapwise.registry import Family
from gapwise.settings import app_root
from gapwise.yaml_reader import Document, KeyPath

_SUFFIXES = (".yaml", ".yml")
_SECRET = "secret:"


def find(name: str, start: Path | None = None) -> Path:
    """Return the file of a pipeline: a path, or a name in ``./pipelines`` or among the built-in.

    Raises:
        PipelineError: there is no such file; the nearest names are told.
    """
    start = start or Path.cwd()
    if name.endswith(_SUFFIXES) or os.sep in name:
        path = start / name
        try:
            if path.is_file():
                return path
        except (OSError, ValueError):
            pass
        raise PipelineError(f"pipeline {shown(name)} is no file; check the path")
    there = _there(start)
    if name in there:
        return there[name]
    raise PipelineError(f"pipeline {shown(name)} is not known; {did_you_mean(name, there)}")


def known(start: Path | None = None) -> list[str]:
    """Return the names of all pipelines in ``./pipelines`` and among the built-in."""
    return sorted(_there(start or Path.cwd()))


def _there(start: Path) -> dict[str, Path]:
    return {
        path.stem: path
        for folder in (app_root() / "pipelines", start / "pipelines")
        for path in sorted(folder.glob("*.y*ml"))
        if path.suffix in _SUFFIXES
    }


def load(name: str, overrides: Sequence[str] = ()) -> Pipeline:
    """Read a pipeline by name or path, apply dotted overrides such as ``training.epochs=5``.

    Raises:
        PipelineError: not found, not YAML 1.2, or not a pipeline; ``file:line:column: key`` first.
    """
    path = find(name)
    label = _label(path)
    document = yaml_reader.read(_text(path, label), label)
    if not isinstance(document.value, dict):
        raise PipelineError(f"{label}: holds no keys; start with data: and network:")
    for override in overrides:
        dotted.apply(document, override)
    _check_values(document)
    pipeline = validated(document)
    for where, part in _parts(pipeline):
        part.places.update(_places(document, where))
    return pipeline if pipeline.name else pipeline.model_copy(update={"name": path.stem})


def resolve(pipeline: Pipeline) -> dict[str, Any]:
    """Return the pipeline as plain values, defaults filled in."""
    return pipeline.model_dump(mode="json")


def dump(pipeline: Pipeline) -> str:
    """Return the resolved pipeline as YAML 1.2; ``load`` of it gives an equal pipeline."""
    return as_yaml(resolve(pipeline))


def as_yaml(values: Mapping[str, Any]) -> str:
    """Return plain values, such as a resolved pipeline's, as YAML 1.2."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    yaml.width = 100
    stream = io.StringIO()
    yaml.dump(dict(values), stream)
    return stream.getvalue()


def check_options(
    family: Family[Any], part: Part, where: str, fixed: Collection[str] = ()
) -> dict[str, Any]:
    """Return the options of ``part``, checked against the member's signature, defaults filled in.

    ``where`` is the part's dotted key; ``fixed`` are the parameters that the platform supplies.

    Raises:
        PipelineError: no such member; an option is unknown, missing or of a wrong type.
    """
    place = _prefix(part, "") + where
    if part.name not in family.names():
        known = did_you_mean(part.name, family.names())
        raise PipelineError(f"{place}: {family.noun} {shown(part.name)} is not known; {known}")
    parameters = {k: p for k, p in family.options(part.name).items() if k not in fixed}
    for key in part.options:
        if key not in parameters:
            raise PipelineError(
                f"{_prefix(part, key)}{where}.{shown(key)}: {family.noun} {part.name} has no such "
                f"option; {did_you_mean(key, parameters)}"
            )
    hints = hints_of(family.get(part.name))
    options: dict[str, Any] = {}
    for key, parameter in parameters.items():
        if key in part.options:
            options[key] = _option(part, key, hints.get(key, Any), where)
        elif parameter.default is inspect.Parameter.empty:
            raise PipelineError(
                f"{place}.{key}: {family.noun} {part.name} needs it; set {where}.{key}=…"
            )
        else:
            options[key] = parameter.default
    return options


def reveal(pipeline: Mapping[str, Any]) -> None:
    """Learn the secrets that a resolved pipeline refers to, so that none is told from here on.

    Raises:
        PipelineError: the variable of one is not set.
    """
    for path, value in _leaves(pipeline, ()):
        if isinstance(value, str) and value.startswith(_SECRET):
            _revealed(value.removeprefix(_SECRET), pipeline_errors.dotted_key(path))


def hints_of(part: Any) -> dict[str, Any]:
    """Return the annotations of a part's parameters; a class is called by its ``__init__``."""
    return get_type_hints(part.__init__ if inspect.isclass(part) else part, include_extras=True)


class _Representer(SafeRepresenter):
    """Writes text in quotes wherever YAML 1.2 could read it as anything else."""

    def represent_str(self, data: str) -> Any:
        plain = re.fullmatch(r"[A-Za-z_/](?:[\w ./-]*[\w./-])?", data, re.ASCII)
        is_text = plain is not None and isinstance(yaml_reader.scalar(data), str)
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if is_text else '"')


_Representer.add_representer(str, _Representer.represent_str)


def _label(path: Path) -> str:
    """Return the path as people know it: relative to the working folder where it lies inside."""
    cwd = Path.cwd()
    return shown(path.relative_to(cwd) if path.is_relative_to(cwd) else path, limit=400)


def _text(path: Path, label: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(yaml_reader.MAX_BYTES + 1)
        return content.decode("utf-8-sig")
    except OSError as error:
        raise PipelineError(f"{label}: cannot be read: {error.strerror}; check the file") from error
    except UnicodeDecodeError as error:
        if len(content) > yaml_reader.MAX_BYTES:
            return content.decode("utf-8", "replace")
        raise PipelineError(
            f"{label}: is not UTF-8 at byte {error.start}; save it as UTF-8 text"
        ) from error


def validated(document: Document) -> Pipeline:
    """Return the pipeline that a document states.

    Raises:
        PipelineError: it is none; names the place, the key and the mend.
    """
    try:
        # JSON in strict mode: lists may become tuples, but '5' and true never become numbers.
        return Pipeline.model_validate_json(json.dumps(document.value), strict=True)
    except ValidationError as error:
        raise PipelineError(
            pipeline_errors.sentence(error.errors(include_url=False), document)
        ) from None


def _check_values(document: Document) -> None:
    """Refuse ``${NAME}`` and numbers that are none, in options of parts too."""
    for path, value in _leaves(document.value, ()):
        where = pipeline_errors.place_of(path, document.places)
        key = pipeline_errors.dotted_key(path)
        if isinstance(value, str) and (found := re.search(r"\$\{(\w+)[^}]*\}", value)):
            raise PipelineError(
                f"{where}: {key}: {shown(found[0])} is not expanded, because a pipeline is kept "
                f"with its runs; write the value, or secret:{found[1]} for an option that is secret"
            )
        if isinstance(value, float) and not abs(value) < float("inf"):
            raise PipelineError(f"{where}: {key}: is {value}, but must be a finite number")


def _leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _leaves(inner, (*path, position))
    else:
        yield path, value


def _parts(section: BaseModel, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Part]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Part):
            yield (*path, name), value
        elif isinstance(value, BaseModel):
            yield from _parts(value, (*path, name))


def _places(document: Document, where: KeyPath) -> dict[str, str]:
    """Return the places of a part: its own under "", its options' under their names."""
    inside = {
        str(path[-1]): place
        for path, place in document.places.items()
        if len(path) == len(where) + 1 and path[:-1] == where
    }
    return {"": pipeline_errors.place_of(where, document.places), **inside}


def _prefix(part: Part, option: str) -> str:
    place = part.places.get(option) or part.places.get("")
    return f"{place}: " if place else ""


def _option(part: Part, key: str, hint: Any, where: str) -> Any:
    value = part.options[key]
    try:
        checked = TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        mends = [pipeline_errors.mend(one) for one in error.errors()]
        raise PipelineError(
            f"{_prefix(part, key)}{where}.{key}: is {pipeline_errors.value_shown(value)}, "
            f"but {pipeline_errors.joined(mends)}"
        ) from None
    if isinstance(checked, str) and checked.startswith(_SECRET):
        return _revealed(checked.removeprefix(_SECRET), f"{_prefix(part, key)}{where}.{key}")
    return checked


def _revealed(name: str, where: str) -> str:
    secret = os.environ.get(name)
    if secret is None:
        raise PipelineError(
            f"{where}: refers to the variable {shown(name)}, which is not set; set it"
        )
    remember_secret(secret, _SECRET + name)
    return secret
