"""What each registered part takes: read from signatures and docstrings, for the reference."""

import inspect
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from gapwise.data.base import DATASETS, SYNTHESIS
from gapwise.networks.base import NETWORKS
from gapwise.pipeline_file import hints_of
from gapwise.registry import Family
from gapwise.tasks.base import TASKS
from gapwise.training.initializers.base import INITIALIZERS
from gapwise.training.optimizers.base import OPTIMIZERS
from gapwise.training.schedules.base import SCHEDULES


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place of a pipeline that names a part; ``fixed`` options are supplied by the platform."""

    key: str
    family: Family[Any]
    fixed: Collection[str] = ()


SLOTS = (
    Slot(key="data.dataset", family=DATASETS),
    Slot(key="data.synthesize", family=SYNTHESIS),
    Slot(key="task", family=TASKS),
    Slot(key="network", family=NETWORKS, fixed=("input_shape", "outputs")),
    Slot(key="training.initializer", family=INITIALIZERS),
    Slot(key="training.optimizer", family=OPTIMIZERS),
    Slot(key="training.schedule", family=SCHEDULES),
)


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option: its JSON Schema, whether it must be given, and one line about it."""

    name: str
    schema: dict[str, Any]
    is_needed: bool
    says: str


@dataclass(frozen=True, kw_only=True)
class PartReference:
    """One member of a family with its options."""

    name: str
    says: str
    options: tuple[Option, ...]


def parts_of(slot: Slot) -> Iterator[PartReference]:
    """Give every member that may stand in ``slot``."""
    for name, part in slot.family:
        lines = described(part)
        hints = hints_of(part)
        options = tuple(
            Option(
                name=key,
                schema=_schema(hints[key], parameter.default),
                is_needed=parameter.default is inspect.Parameter.empty,
                says=lines.get(key, ""),
            )
            for key, parameter in slot.family.options(name).items()
            if key not in slot.fixed
        )
        yield PartReference(name=name, says=summary(part), options=options)


def described(part: Any) -> dict[str, str]:
    """Return what the docstring's ``Args`` say of each parameter."""
    block = re.search(r"^Args:\n((?:    .*\n?|\n)+)", inspect.getdoc(part) or "", re.MULTILINE)
    entries = re.findall(
        r"^    (\w+): (.*(?:\n     +.*)*)", block[1] if block else "", re.MULTILINE
    )
    return {name: " ".join(text.split()) for name, text in entries}


def summary(part: Any) -> str:
    """Return the docstring's first paragraph, in one line."""
    return " ".join((inspect.getdoc(part) or "").split("\n\n")[0].split())


def _schema(hint: Any, default: Any) -> dict[str, Any]:
    schema = TypeAdapter(hint).json_schema()
    if default is not inspect.Parameter.empty:
        schema["default"] = list(default) if isinstance(default, tuple) else default
    return schema
