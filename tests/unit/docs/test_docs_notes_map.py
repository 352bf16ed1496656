"""docs/notes-map.md has a row for each section of the notes, and what it names exists."""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from gapwise.cli import app
from gapwise.data.base import DATASETS
from gapwise.networks.base import NETWORKS
from gapwise.pipeline import Pipeline
from gapwise.tasks.base import TASKS
from gapwise.training.initializers.base import INITIALIZERS
from gapwise.training.optimizers.base import OPTIMIZERS
from gapwise.training.schedules.base import SCHEDULES

ROOT = Path(__file__).parents[3]
ROW = re.compile(r"^\| ([1-8][\d.]*) \| (.+?) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"(\w+) `([^`]+)`")
LAST = {1: 8, 2: 6, 3: 18, 4: 18, 5: 18, 6: 13, 7: 5, 8: 6}
"""The last section of each chapter of the notes."""

BELOW = {
    *("1.7.1", "1.7.2", "3.4.1", "3.4.2", "3.4.3", "5.9.1", "5.9.2"),
    *("5.10.1", "5.10.2", "5.10.3"),
}
SECTIONS = {f"{c}.{i}" for c, last in LAST.items() for i in range(1, last + 1)}
SECTIONS |= BELOW | {str(chapter) for chapter in LAST}


def is_knob(path: str) -> bool:
    model: type[BaseModel] = Pipeline
    for name in path.split("."):
        if name not in model.model_fields:
            return False
        inner = _models(model.model_fields[name].annotation)
        model = inner[0] if inner else BaseModel
    return True


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models(part)]


def is_command(name: str) -> bool:
    return name in {c.callback.__name__ for c in app.registered_commands if c.callback}


def is_page(title: str) -> bool:
    pages = (ROOT / "dashboards" / "pages").glob("*.py")
    return title.lower().replace(" ", "_") in {p.stem.split("_", 2)[2] for p in pages}


def is_file(path: str) -> bool:
    return (ROOT / path).is_file()


KINDS: dict[str, Callable[[str], bool]] = {
    "network": lambda name: name in NETWORKS.names(),
    "task": lambda name: name in TASKS.names(),
    "dataset": lambda name: name in DATASETS.names(),
    "optimizer": lambda name: name in OPTIMIZERS.names(),
    "schedule": lambda name: name in SCHEDULES.names(),
    "initializer": lambda name: name in INITIALIZERS.names(),
    "pipeline": lambda name: is_file(f"pipelines/{name}.yaml"),
    "module": lambda name: importlib.util.find_spec(name) is not None,
    "knob": is_knob,
    "command": is_command,
    "page": is_page,
    "document": is_file,
    "test": is_file,
    "benchmark": is_file,
}


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "notes-map.md").read_text(encoding="utf-8")
    return [(section, parts) for section, _, parts in ROW.findall(text)]


def test_each_section_has_one_row(rows: list[tuple[str, str]]) -> None:
    sections = [section for section, _ in rows]
    assert sorted(sections) == sorted(SECTIONS)


def test_everything_named_exists(rows: list[tuple[str, str]]) -> None:
    missing = [
        f"{section}: {kind} {name}"
        for section, parts in rows
        for kind, name in NAMED.findall(parts)
        if kind in KINDS and not KINDS[kind](name)
    ]
    assert missing == []


def test_every_row_names_something_or_says_not_yet(rows: list[tuple[str, str]]) -> None:
    for section, parts in rows:
        named = [kind for kind, _ in NAMED.findall(parts) if kind in KINDS]
        assert named or parts == "not yet", section


def test_nothing_of_chapters_1_2_3_and_5_is_open(rows: list[tuple[str, str]]) -> None:
    open_rows = {section for section, parts in rows if "not yet" in parts}
    assert not {section for section in open_rows if section[0] in "1235"}
