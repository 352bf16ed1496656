"""The page Networks in a real browser, over a run that was really trained."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gapwise.settings import Settings
from gapwise.workflows.train import train

QUICK = ["training.epochs=2", "training.threads=1", "training.device=cpu"]


@pytest.fixture(scope="module")
def run(settings: Settings) -> str:
    """A run of ``digits``."""
    return train("digits", QUICK, settings=settings).run_ids[0]


def choose(page: Any, card: str, *, column: float, row: float) -> None:
    """Click into a chart, as shares of its width and height."""
    chart = page.locator(f".st-key-card-{card} .js-plotly-plot")
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(600)
    box = chart.bounding_box()
    page.mouse.click(box["x"] + column * box["width"], box["y"] + row * box["height"])


def test_a_map_is_chosen_and_then_a_patch(
    watched: Any, shoot: Callable[[str], Path], run: str
) -> None:
    watched.open(f"/networks?run={run}&layer=convolution2", "What excites unit 0 of convolution2")
    choose(watched.page, "maps", column=4.5 / 12, row=0.08)
    watched.page.get_by_text("What excites unit 4 of convolution2").wait_for(timeout=60_000)
    watched.settle()
    assert "unit=4" in watched.page.url
    before = watched.page.locator(".st-key-card-example img, .st-key-card-example image").count()
    choose(watched.page, "patches", column=6.5 / 9, row=0.35)
    watched.page.wait_for_url(re.compile("example="), timeout=60_000)
    watched.settle()
    assert watched.page.locator(".st-key-card-example image").count() == before == 1
    assert shoot("networks-run").stat().st_size > 20_000
    watched.assert_clean()


@pytest.mark.parametrize("name", ["resnet50", "inception"])
def test_large_networks_are_drawn_without_a_word_in_the_console(
    watched: Any, shoot: Callable[[str], Path], run: str, name: str
) -> None:
    watched.open(f"/networks?network={name}", "Multiply-accumulates")
    assert watched.page.locator(".st-key-card-drawing .js-plotly-plot path").count() > 5
    shoot(f"networks-{name}")
    watched.assert_clean()


def test_a_narrow_page_scrolls_within_the_drawing_alone(watched: Any, run: str) -> None:
    watched.page.set_viewport_size({"width": 760, "height": 900})
    watched.open("/networks?network=inception", "Multiply-accumulates")
    wide = "e => e.scrollWidth > e.clientWidth + 100"
    assert watched.page.locator(".st-key-scroll-drawing").evaluate(wide)
    assert not watched.page.locator("[data-testid=stMain]").evaluate(wide)
    watched.assert_clean()


def test_the_run_page_leads_here(watched: Any, run: str) -> None:
    watched.open(f"/run?run={run}", "Look inside the network")
    watched.page.get_by_role("button", name="Look inside the network").click()
    watched.page.get_by_text("What a layer makes of it").wait_for(timeout=60_000)
    watched.settle()
    assert "/networks" in watched.page.url
    assert f"run={run}" in watched.page.url
    watched.assert_clean()
