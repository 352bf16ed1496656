"""The desk as a team uses it, on real data: trained on MNIST, the target is USPS (4.10, 4.11)."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gapwise.ledger import labels, tags
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows.rescore import rescore_runs
from gapwise.workflows.train import train

QUICK = ("training.threads=1", "training.device=cpu", "training.epochs=1")


@pytest.fixture(scope="module")
def runs(settings: Settings) -> tuple[str, str]:
    """Two real trainings, a minute together."""
    if not os.environ.get("GAPWISE_DATA"):
        reason = "GAPWISE_DATA is not set; set it to a folder of datasets (see docs/data.md)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    found = [
        train("mnist-to-usps", (*QUICK, f"training.optimizer.lr={rate}"), settings=settings)
        for rate in (0.003, 0.001)
    ]
    return found[0].run_ids[0], found[1].run_ids[0]


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def opened(page: Any, address: str) -> None:
    page.goto(address)
    page.locator(".card.here").wait_for(timeout=60_000)
    page.wait_for_timeout(700)


def read_100_errors(page: Any) -> None:
    """Every third is thin, every fourth slanted, the rest read."""
    for place in range(100):
        if place == 0:
            for name in ("thin stroke", "slanted"):
                page.keyboard.press("+")
                page.keyboard.type(name)
                page.keyboard.press("Enter")
        else:
            for key, every in (("t", 3), ("s", 4)):
                if place % every == 0:
                    page.keyboard.press(key)
        page.keyboard.press(" ")


def begin_campaign(page: Any, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Begin a campaign").click(timeout=60_000)
    page.get_by_label("Name").fill("round 1")
    page.get_by_label("Name").press("Tab")
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Begin", exact=True).click()
    page.locator(".card.here").wait_for(timeout=60_000)


@pytest.mark.timeout(420)
def test_errors_are_tagged_and_the_ceiling_is_read(
    watched: Any, settings: Settings, runs: tuple[str, str], shoot: Callable[[str], Path]
) -> None:
    page, ledger = watched.page, Ledger(settings.ledger_url)
    opened(page, f"{watched.base}/errors?run={runs[0]}&split=dev")
    read_100_errors(page)
    wait_until(lambda: len(tags.book(ledger, "mnist-to-usps").read) == 100)
    book = tags.book(ledger, "mnist-to-usps")
    assert sum("thin stroke" in held for held in book.tags.values()) == 34
    assert sum("slanted" in held for held in book.tags.values()) == 25
    page.get_by_text("100 of 100 sampled errors read").wait_for(timeout=20_000)
    table = page.locator(".table").inner_text()
    assert "thin stroke or slanted" in table  # 9 bear both and count once: 50 of 100
    assert "50 %" in table
    shoot("real-errors")
    watched.assert_clean()


@pytest.mark.timeout(420)
def test_suspects_of_dev_and_test_are_mended_alike_and_every_run_rescored(
    watched: Any, settings: Settings, runs: tuple[str, str], shoot: Callable[[str], Path]
) -> None:
    page, run, ledger = watched.page, runs[0], Ledger(settings.ledger_url)
    begin_campaign(page, f"{watched.base}/labels?run={run}")
    for split in ("dev", "test"):
        address = f"{watched.base}/labels?run={run}&campaign=round 1&queue=suspects&split={split}"
        opened(page, address)
        before = len(labels.book(ledger, "mnist-to-usps").reviews)
        for place in range(24):
            page.keyboard.press("Enter" if place % 4 == 0 else "k")
        wait_until(lambda n=before: len(labels.book(ledger, "mnist-to-usps").reviews) == n + 24)
        page.locator(".state.good").wait_for(timeout=20_000)
    page.wait_for_timeout(4000)
    text = watched.text()
    assert "Review a random sample to see what labels cost" in text  # suspects tell no share
    assert "24 of " in text
    assert "12 labels differ between revisions 0 and" in text
    assert "The best run" in text
    page.mouse.wheel(0, 3000)
    page.wait_for_timeout(500)
    shoot("real-labels")
    watched.assert_clean()
    found = rescore_runs("mnist-to-usps", settings=settings)
    assert (found.relabelled, found.by_split["dev"]) == (12, 6)
    assert found.says.split(";")[1].strip() in text.replace("\n", " ")
    wrong = {one.run_id: one.changed["dev"] for one in found.runs}
    assert wrong[run] == 6  # what the network disputes is right now
    stored = tables.read(RunStore(settings).open(run).needed_predictions("dev"), split="dev")
    assert stored.error.mean() > min(rung.error for rung in found.runs[0].after)
