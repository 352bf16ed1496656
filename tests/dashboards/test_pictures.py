"""The route of pictures: known examples alone, re-encoded by us."""

import io
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette

from dashboards import data, example_data, pictures
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore

APP = Starlette(routes=[pictures.route()])


@pytest.fixture
def known(stored: Path) -> tuple[str, str]:
    run = RunStore(Settings.read()).open("short")
    return run.run_id, str(data.predictions(run.run_id, "dev").example_id[0])


def test_a_known_example_is_a_png_that_is_not_sniffed(
    asgi: ModuleType, known: tuple[str, str]
) -> None:
    answer = asgi.http(APP, "GET", pictures.address(*known), {})
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "max-age" in answer.headers["cache-control"]
    drawn = np.asarray(Image.open(io.BytesIO(answer.body)))
    step = len(drawn) // 8
    assert np.array_equal(drawn[::step, ::step], example_data.picture(*known))


@pytest.mark.parametrize(
    "path",
    ["/pictures/{run}/nobody", "/pictures/latest9/{id}", "/pictures/{run}/../../run.json",
     "/pictures/{run}/%2e%2e%2frun.json", "/pictures/..%2f..%2fetc/passwd", "/pictures/{run}/",
     "/pictures/%00/x", "/pictures/{run}/%00"],
)  # fmt: skip
def test_nothing_else_is(asgi: ModuleType, known: tuple[str, str], path: str) -> None:
    run, example = known
    assert asgi.http(APP, "GET", path.format(run=run, id=example), {}).status == 404


def test_an_id_cannot_name_a_folder() -> None:
    assert pictures.address("a/b", "../c?d#e") == "/pictures/a%2Fb/..%2Fc%3Fd%23e"


def test_small_pictures_are_enlarged_by_whole_pixels() -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    assert Image.open(io.BytesIO(pictures.png(grey))).size == (96, 96)
    colour = np.zeros((200, 150, 3), np.uint8)
    assert Image.open(io.BytesIO(pictures.png(colour))).size == (150, 200)
