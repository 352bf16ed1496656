"""What every figure must keep, found by itself: add a file to figures/ and it is tested here."""

import importlib
import json
import pkgutil
from types import ModuleType
from typing import Any

import plotly.graph_objects as go
import pytest

import gapwise.figures
from gapwise.figures import palette, style

SHARED = {"palette", "style", "trial_dots", "words"}
COLORS = {value.lower() for value in vars(palette).values() if str(value).startswith("#")}


def members() -> list[ModuleType]:
    names = [m.name for m in pkgutil.iter_modules(gapwise.figures.__path__)]
    return [importlib.import_module(f"gapwise.figures.{n}") for n in names if n not in SHARED]


@pytest.fixture(params=members(), ids=lambda module: module.__name__.rpartition(".")[2])
def member(request: pytest.FixtureRequest) -> ModuleType:
    return request.param


def test_names_its_figure_and_shows_an_example(member: ModuleType) -> None:
    assert len(member.__all__) == 1
    assert callable(getattr(member, member.__all__[0]))
    assert isinstance(member.example(), go.Figure)


def test_is_valid_plotly_json(member: ModuleType) -> None:
    document = json.loads(member.example().to_json())
    go.Figure(document, skip_invalid=False)
    assert "NaN" not in json.dumps(document)


def test_takes_its_colours_from_the_palette(member: ModuleType) -> None:
    scale = {color.lower() for _, color in getattr(member, "SCALE", [])}
    used = set(strings(json.loads(member.example().to_json())))
    found = {text.lower() for text in used if text.startswith("#")}
    assert found - scale - COLORS == set()


def test_has_the_shared_look(member: ModuleType) -> None:
    layout = member.example().layout
    assert layout.font.family == style.FONT
    assert layout.showlegend is False
    assert layout.paper_bgcolor == "rgba(0,0,0,0)"


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []
