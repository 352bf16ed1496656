"""The desk in a real browser: keys by the hundred, none lost; two people; text stays text."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gapwise.ledger import labels, tags
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.tags import TagBook
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore

MANY = 200
HOSTILE = "<img src=x onerror=window.pwned=1>"


@pytest.fixture(scope="module")
def run(made: ModuleType, settings: Settings) -> str:
    """A run with more than 200 dev errors, and another to compare with."""
    pipeline, prepared = made.prepare(settings)
    wrong = {"train": 0.02, "train_dev": 0.06, "dev": 0.75, "test": 0.75}
    made.make_run(settings, pipeline, prepared, name="other", seed=1)
    return str(made.make_run(settings, pipeline, prepared, name="desk", errors=wrong))


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return Ledger(settings.ledger_url)


@pytest.fixture
def second(watched: Any, browser: Any) -> Iterator[Any]:
    """Another person's browser: cookies and storage of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.request.post(
        f"{watched.base}/desk/name", data={"name": "bob"}, headers={"Origin": watched.base}
    )
    yield context.new_page()
    context.close()


def opened(page: Any, address: str) -> Any:
    """Open the desk and wait until its examples are there."""
    page.goto(address)
    page.locator(".card.here").wait_for(timeout=60_000)
    page.wait_for_timeout(700)
    return page


def errors(base: str, run: str, **more: Any) -> str:
    query = {"run": run, "split": "dev", "sample": 300} | more
    return f"{base}/errors?" + "&".join(f"{name}={value}" for name, value in query.items())


def book(ledger: Ledger) -> TagBook:
    return tags.book(ledger, "digits")


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def bearers(ledger: Ledger, tag: str) -> set[str]:
    return {name for name, held in book(ledger).tags.items() if tag in held}


def new_tag(page: Any, name: str) -> None:
    page.keyboard.press("+")
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def test_200_examples_are_tagged_by_keyboard_and_none_is_lost(
    watched: Any, run: str, ledger: Ledger, shoot: Callable[[str], Path]
) -> None:
    page = opened(watched.page, errors(watched.base, run))
    new_tag(page, "quick")  # its key is the first free letter: q
    for _ in range(MANY - 1):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("q")
    page.locator(".state.good").wait_for(timeout=30_000)
    wait_until(lambda: len(bearers(ledger, "quick")) == MANY)
    assert book(ledger).settings["quick"].hotkey == "q"
    page.keyboard.press("u")
    wait_until(lambda: len(bearers(ledger, "quick")) == MANY - 1)
    page.get_by_text("200 of 2").first.wait_for(timeout=20_000)
    assert page.locator(".table").inner_text().count("quick") >= 1
    shoot("errors")
    watched.assert_clean()


def test_selection_bulk_comment_effort_and_undo(watched: Any, run: str, ledger: Ledger) -> None:
    page = opened(watched.page, errors(watched.base, run))
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator(".card.chosen").count() == 3
    page.keyboard.press("m")
    wait_until(lambda: len(bearers(ledger, tags.MISLABELED)) == 3)
    page.keyboard.press("Control+z")
    wait_until(lambda: bearers(ledger, tags.MISLABELED) == set())
    page.keyboard.press("m")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.keyboard.type("a seven, really")
    page.keyboard.press("Enter")
    wait_until(lambda: "a seven, really" in book(ledger).comments.values())
    effort = page.get_by_label(f"effort of {tags.MISLABELED}")
    effort.wait_for(timeout=20_000)
    effort.fill("2")
    effort.press("Tab")
    wait_until(lambda: book(ledger).settings[tags.MISLABELED].effort == 2.0)
    page.keyboard.press("Enter")
    assert page.locator(".desk.large").count() == 1
    watched.assert_clean()


def test_b2_a_tab_that_is_closed_midway_loses_nothing(
    watched: Any, run: str, ledger: Ledger
) -> None:
    page = opened(watched.page, errors(watched.base, run))
    new_tag(page, "brief")
    page.route("**/desk/events", lambda route: route.abort())
    for _ in range(30):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("b")
    page.locator(".state.bad").wait_for(timeout=20_000)
    assert "not saved" in page.locator(".state").inner_text()
    page.goto("about:blank")
    page.unroute("**/desk/events")
    assert len(bearers(ledger, "brief")) < 31
    opened(page, errors(watched.base, run))
    wait_until(lambda: len(bearers(ledger, "brief")) == 31)
    page.locator(".state.good").wait_for(timeout=20_000)


def test_g4_a_reply_that_is_lost_doubles_nothing(watched: Any, run: str, ledger: Ledger) -> None:
    page = opened(watched.page, errors(watched.base, run))
    before = ledger.revision()

    def without_answer(route: Any) -> None:
        route.fetch()  # the server saves it
        route.abort()

    page.route("**/desk/events", without_answer)
    new_tag(page, "reply")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("r")
    page.locator(".state.bad").wait_for(timeout=20_000)
    page.wait_for_timeout(2000)  # what is routed moves only while the page is asked
    page.unroute("**/desk/events")
    page.locator(".state.good").wait_for(timeout=30_000)
    assert len(bearers(ledger, "reply")) == 10
    assert ledger.revision() == before + 11  # ten tags and the setting of a new one
    keys = [event.key for event in ledger.events()]
    assert len(keys) == len(set(keys))


def test_b2_a_server_that_is_killed_midway_loses_nothing(
    watched: Any, server: Any, run: str, ledger: Ledger
) -> None:
    page = opened(watched.page, errors(watched.base, run))
    new_tag(page, "kill")
    for number in range(40):
        if number == 15:
            server.kill()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("k")
    page.locator(".state.bad").wait_for(timeout=20_000)
    server.start()
    wait_until(lambda: len(bearers(ledger, "kill")) == 41, 60)
    page.locator(".state.good").wait_for(timeout=30_000)
    assert ledger.verify() == ledger.revision()


def test_b1_tags_comments_and_names_are_text(watched: Any, run: str, ledger: Ledger) -> None:
    page = opened(watched.page, errors(watched.base, run))
    new_tag(page, HOSTILE)
    page.keyboard.press("c")
    page.keyboard.type(HOSTILE)
    page.keyboard.press("Enter")
    page.locator(".detail", has_text=HOSTILE).first.wait_for(timeout=20_000)
    page.locator(".table", has_text=HOSTILE).first.wait_for(timeout=20_000)
    page.locator(".name-tag").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("<b>eve</b>")
    page.keyboard.press("Enter")
    page.locator(".name-tag", has_text="<b>eve</b>").wait_for(timeout=60_000)
    assert page.evaluate("() => window.pwned") is None
    watched.assert_clean()


def test_g3_two_browsers_never_overwrite_each_other(
    watched: Any, second: Any, run: str, ledger: Ledger, shoot: Callable[[str], Path]
) -> None:
    page = watched.page
    page.goto(f"{watched.base}/labels?run={run}")
    page.get_by_role("button", name="Begin a campaign").click(timeout=60_000)
    page.get_by_label("Name").fill("round 1")
    page.get_by_label("Name").press("Tab")
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Begin", exact=True).click()
    page.locator(".card.here").wait_for(timeout=60_000)
    where = f"{watched.base}/labels?run={run}&campaign=round 1&queue=wrong&split=dev"
    opened(page, where)
    opened(second, where)
    first = str(page.locator(".card.here").get_attribute("title"))
    assert second.locator(".card.here").get_attribute("title") == first
    page.keyboard.press("3")
    wait_until(lambda: first in labels.book(ledger, "digits").reviews)
    mine = labels.book(ledger, "digits").reviews[first]
    second.keyboard.press("5")
    told = second.locator(".alert", has_text=first)
    told.wait_for(timeout=20_000)
    assert mine.author in told.inner_text()
    assert labels.book(ledger, "digits").reviews[first] == mine
    second.get_by_role("button", name="Save mine over it").click()
    wait_until(lambda: labels.book(ledger, "digits").reviews[first].author == "bob")
    history = ledger.events(dataset="digits", example_id=first, kind=labels.LABEL)
    assert [event.author for event in history] == [mine.author, "bob"]
    shoot("labels")


def test_labels_of_dev_and_test_are_mended_and_every_run_is_rescored(
    watched: Any, run: str, settings: Settings, ledger: Ledger, shoot: Callable[[str], Path]
) -> None:
    store = RunStore(settings)
    for split in ("dev", "test"):
        where = f"{watched.base}/labels?run={run}&campaign=round 1&queue=wrong&split={split}"
        page = opened(watched.page, where)
        before = len(labels.book(ledger, "digits").reviews)
        for _ in range(20):
            page.keyboard.press("Enter")  # the suggestion: what the network says
        wait_until(lambda n=before: len(labels.book(ledger, "digits").reviews) >= n + 19)
        page.locator(".state.good").wait_for(timeout=20_000)
    page.wait_for_timeout(4000)
    text = watched.text()
    assert "of the dev error is wrong labels" in text
    assert "labels differ between revisions 0 and" in text
    assert "The best run" in text
    table = tables.read(store.open(run).needed_predictions("dev"), split="dev")
    changed = labels.book(ledger, "digits").changed()
    assert len(changed.keys() & set(table.example_id.tolist())) >= 19
    page.mouse.wheel(0, 3000)
    page.wait_for_timeout(500)
    shoot("labels-rescored")


def test_people_answer_blindly(
    watched: Any, second: Any, run: str, ledger: Ledger, shoot: Callable[[str], Path]
) -> None:
    where = f"{watched.base}/human-level?run={run}&distribution=target&asked=25"
    for page in (watched.page, second):
        page.goto(where)
        page.locator(".question").wait_for(timeout=60_000)
        assert page.locator(".question").get_attribute("alt") == ""
        for number in range(25):
            page.keyboard.press(str(number % 10))
        page.get_by_text("All answered").first.wait_for(timeout=20_000)
    wait_until(lambda: len(ledger.events(kind="answer")) == 50)
    watched.page.goto(where)
    watched.page.get_by_text("Human error").first.wait_for(timeout=60_000)
    watched.settle()
    text = watched.text()
    assert "Agreement" in text
    assert "κ" in text
    assert "All answered" in watched.page.locator(".stage").inner_text()
    shoot("human-level")
    watched.assert_clean()


def test_flips_slices_and_words_narrow_the_list(watched: Any, run: str) -> None:
    page = opened(watched.page, errors(watched.base, run, view="loss", words="digits"))
    assert "examples are ranked" in watched.text()
    other = page.url
    page.goto(errors(watched.base, run, view="broken"))
    page.get_by_text("were broken").first.wait_for(timeout=60_000)
    assert other != page.url
    opened(page, errors(watched.base, run, slice="class%3D3"))
    captions = page.locator(".card .label").all_inner_texts()
    assert captions
    assert set(captions) <= {"3", "5"}  # a label may have been mended by another test
    watched.assert_clean()
