"""The page Launch in a real browser: a wrong value, a start, a stop, and on it goes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_training_is_launched_stopped_and_goes_on(
    watched: Any, shoot: Callable[[str], Path], world: Path
) -> None:
    page = watched.page
    watched.open("/launch?pipeline=digits", "Its knobs")
    epochs = page.get_by_label("epochs", exact=True)
    epochs.fill("many")
    epochs.press("Enter")
    page.get_by_text("must be a whole number").wait_for(timeout=60_000)
    assert page.get_by_role("button", name="Start").is_disabled()
    epochs.fill("3000")
    epochs.press("Enter")
    page.get_by_text("gapwise train digits training.epochs=3000").wait_for(timeout=60_000)
    watched.settle()
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Stop").wait_for(timeout=60_000)
    for _ in range(600):
        if list(world.glob("home/runs/*/checkpoints/step-*.json")):
            break
        page.wait_for_timeout(200)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go on").wait_for(timeout=60_000)
    page.get_by_text("training stopped as asked").wait_for(timeout=60_000)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Stop").wait_for(timeout=60_000)
    shoot("launch-goes-on")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop").wait_for(state="detached", timeout=60_000)
    watched.assert_clean()
