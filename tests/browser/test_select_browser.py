"""The page Select in a real browser: trained runs whose cost is measured, and a limit typed in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gapwise.settings import Settings
from gapwise.workflows.train import train

QUICK = ["training.epochs=6", "training.threads=1", "training.device=cpu"]
WIDTHS = {"narrow": [8], "wide": [256], "deep": [512, 512]}


def test_a_limit_on_latency_is_measured_and_drawn(
    watched: Any, shoot: Callable[[str], Path], settings: Settings
) -> None:
    for name, hidden in WIDTHS.items():
        words = [*QUICK, "network=multilayer-perceptron", f"network.hidden={hidden}"]
        train("digits", [*words, "name=choice"], run_name=name, settings=settings)
    watched.open("/select?experiment=choice", "Candidates")
    shoot("select")
    box = watched.page.get_by_role("textbox", name="Limits")
    box.fill("latency_p95_ms<=20; parameters<=100000")
    box.press("Enter")
    watched.page.get_by_text("parameters = ").first.wait_for(timeout=60_000)
    watched.settle()
    assert "limits=latency_p95_ms" in watched.page.url
    assert watched.page.locator(".st-key-card-pareto .js-plotly-plot .point").count() >= 3
    assert "deep" in watched.text()
    assert shoot("select-limits").stat().st_size > 20_000
    watched.assert_clean()
