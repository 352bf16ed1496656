"""The desk in Chromium: how soon a tag is seen and durable, and how soon a page of 60 is there.

    GAPWISE_DATA=… python -m benchmarks.desk

Goals (p95): a tag visible in 50 ms and durable in 100 ms; 60 thumbnails within 500 ms warm; 100,000
wrong examples can be browsed. Needs the system's Chromium and playwright.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from gapwise import pipeline_file
from gapwise.data import load
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore

KEYS = 100
PAUSE = 150
"""Milliseconds between keys: nearly seven a second."""

TURNS = 10
WRONG = 100_000

PRESSED = """performance.setResourceTimingBufferSize(100000);
window.deskTimes = { pressed: [], seen: [] };
window.addEventListener("keydown", event => {
  if (event.key === "m") window.deskTimes.pressed.push(event.timeStamp);
}, true);"""
"""Stands before the page's own listener, which lets no key through."""

WATCH = """grid => new MutationObserver(() => requestAnimationFrame(() => {
  const times = window.deskTimes;
  if (times.seen.length < times.pressed.length) times.seen.push(performance.now());
})).observe(grid, { childList: true, subtree: true })"""
ACKNOWLEDGED = """() => performance.getEntriesByType("resource")
  .filter(entry => entry.name.endsWith("/desk/events"))
  .map(entry => [entry.startTime, entry.responseEnd])"""
DRAWN = """async grid => {
  const images = [...grid.querySelectorAll("img.picture")];
  images.forEach(image => { image.loading = "eager"; });
  await Promise.all(images.map(image => image.decode().catch(() => null)));
  return images.length;
}"""


def main() -> None:
    """Print the figures."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "GAPWISE_HOME": f"{folder}/home",
            "GAPWISE_CACHE": f"{folder}/cache",
        }
        os.environ.update(environment)
        settings = Settings.read()
        pictures, rows = _with_pictures(settings), _many(settings)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "gapwise", "dashboard", "--port", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(f"{base}/_stcore/health")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"),
                    args=["--no-sandbox", "--disable-gpu"],
                )
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                _keys(page, base, pictures)
                _thumbnails(page, base, pictures)
                _browsing(page, base, rows)
                browser.close()
        finally:
            server.terminate()
            server.wait(20)


def _keys(page: Any, base: str, run: str) -> None:
    page.add_init_script(PRESSED)
    grid = _opened(page, f"{base}/errors?run={run}&split=dev&sample=1000")
    grid.evaluate(WATCH)
    for _ in range(KEYS):
        page.keyboard.press("m")
        page.wait_for_timeout(PAUSE)
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1000)
    times = page.evaluate("() => window.deskTimes")
    pressed, seen = np.array(times["pressed"]), np.array(times["seen"])
    sent = np.array(page.evaluate(ACKNOWLEDGED))
    durable = [min(end for start, end in sent if start >= at - 1) - at for at in pressed]
    print(f"{len(pressed)} tags by key, {PAUSE} ms apart")
    _told("visible", seen - pressed[: len(seen)])
    _told("durable", np.array(durable))


def _thumbnails(page: Any, base: str, run: str) -> None:
    grid = _opened(page, f"{base}/errors?run={run}&split=dev&sample=1000")
    taken: dict[str, list[float]] = {"first": [], "warm": []}
    for kind in taken:
        for turn in range(TURNS):
            key = "PageDown" if kind == "first" or turn % 2 else "PageUp"
            before = grid.locator(".card").first.get_attribute("title")
            start = time.perf_counter()
            page.keyboard.press(key)
            page.wait_for_function(
                "([card, id]) => card.isConnected === false || card.title !== id",
                arg=[grid.locator(".card").first.element_handle(), before],
                polling=5,
            )
            shown = grid.evaluate(DRAWN)
            taken[kind].append(1000 * (time.perf_counter() - start))
            assert shown > 0
    for kind, values in taken.items():
        _told(f"page of 60, {kind}", np.array(values))


def _browsing(page: Any, base: str, run: str) -> None:
    start = time.perf_counter()
    _opened(page, f"{base}/errors?run={run}&split=dev&sample={WRONG}")
    print(f"{WRONG:,} wrong examples: open in {time.perf_counter() - start:.1f} s, first time")
    taken = []
    for offset in range(0, WRONG, WRONG // 20):
        query = f"run={run}&split=dev&view=wrong&offset={offset}&limit=60"
        start = time.perf_counter()
        with urllib.request.urlopen(f"{base}/desk/list?{query}") as answer:
            assert answer.status == 200
        taken.append(1000 * (time.perf_counter() - start))
    _told("60 anywhere in the list", np.array(taken))


def _opened(page: Any, address: str) -> Any:
    page.goto(address)
    page.locator(".card.here").wait_for(timeout=120_000)
    page.wait_for_timeout(1500)
    return page.locator(".grid")


def _told(what: str, values: np.ndarray) -> None:
    if not len(values):
        raise SystemExit(f"{what}: nothing was measured")
    median, high = np.quantile(values, [0.5, 0.95])
    print(f"{what:26} median {median:6.1f} ms   p95 {high:6.1f} ms   max {values.max():6.1f} ms")


def _with_pictures(settings: Settings) -> str:
    """A run over real digits with planted errors: 1,500 of dev's 3,000 are wrong."""
    pipeline = pipeline_file.load("mnist-to-usps")
    prepared = load.prepare(pipeline, settings, Path.cwd())
    rows = prepared.indices("dev")
    target = prepared.targets[rows]
    wrong = np.arange(len(rows)) % 2 == 0
    predicted = np.where(wrong, (target + 1) % 10, target)
    table = _table(prepared.ids[rows], target, predicted, prepared.classes)
    job = {"data": str(prepared.folder)}
    return _stored(settings, "pictures", prepared.name, table, job)


def _many(settings: Settings) -> str:
    ids = np.array([f"row/{number:06d}" for number in range(WRONG)])
    target = np.zeros(WRONG, np.int64)
    return _stored(settings, "many", "many", _table(ids, target, target + 1, ("a", "b")), {})


def _table(
    ids: np.ndarray, target: np.ndarray, predicted: np.ndarray, classes: tuple[str, ...]
) -> Predictions:
    return Predictions(
        split="dev",
        example_id=ids,
        target=target,
        predicted=predicted,
        error=(target != predicted).astype(np.float64),
        weight=np.ones(len(ids)),
        classes=classes,
        scores=np.full((len(ids), len(classes)), 1 / len(classes), np.float32),
    )


def _stored(
    settings: Settings, name: str, dataset: str, table: Predictions, job: dict[str, str]
) -> str:

    with RunStore(settings).create(
        experiment="desk", name=name, kind="record", seed=None, group=None, dataset=dataset
    ) as writer:
        if job:
            (writer.folder / "job.json").write_text(json.dumps(job))
        path = writer.folder / "predictions" / "dev.parquet"
        tables.write(path, table)
        writer.log_file(path, "predictions")
        writer.finish("FINISHED")
    return writer.run_id


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(address, timeout=1)
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the server does not answer")


if __name__ == "__main__":
    main()
