"""The page Learning curve in a real browser, over a curve that was really trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gapwise.settings import Settings
from gapwise.workflows.curve import Wanted, curve

QUICK = ["network=multilayer-perceptron", "training.epochs=6"]
QUICK += ["training.threads=1", "training.device=cpu"]


def test_a_real_curve_is_drawn(
    watched: Any, shoot: Callable[[str], Path], settings: Settings
) -> None:
    found = curve("digits", QUICK, Wanted(seeds=2), settings=settings)
    watched.open("/learning-curve?pipeline=digits", "What was measured")
    text = watched.text()
    assert found.says.partition(":")[0] in text
    assert "6 sizes, 2 seeds each, dev n = 400" in text
    assert watched.page.locator(".st-key-card-curve .js-plotly-plot .point").count() >= 12
    assert shoot("learning-curve").stat().st_size > 20_000
    watched.assert_clean()
