"""Every page in a real browser: nothing in the console, no request elsewhere, text stays text."""

import re
import socket
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from dashboards import navigation
from gapwise.ledger import tags
from gapwise.ledger.ledger import Ledger
from gapwise.records import Predictions
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.tracking.writer import RunWriter

EXPECTED = {
    "what-next": ("/", "is your largest gap"),
    "runs": ("/runs", "Choose a row to open it"),
    "run": ("/run", "Error by class"),
    "compare": ("/compare", "Fixed by B"),
    "select": ("/select", "Take"),
    "decision-log": ("/decision-log", "Nothing has been tried yet"),
    "slices": ("/slices", "Weak slices"),
    "splits": ("/splits", "Save as YAML"),
    "errors": ("/errors", "examples are wrong"),
    "labels": ("/labels", "Review labels by one process"),
    "human-level": ("/human-level", "Nobody has answered yet"),
    "launch": ("/launch", "Its knobs"),
    "search": ("/search", "No search yet"),
    "networks": ("/networks", "Architecture"),
    "ceiling": ("/ceiling", "Runs of the same system with steps made perfect"),
    "people": ("/people", "No run tells people apart yet"),
    "style": ("/style", "No network to see style with yet"),
    "learning-curve": ("/learning-curve", "No learning curve yet"),
    "health": ("/health", "Everything is in order"),
}

HOOK = "window.pwned=1"
CALLS = [
    f"<script>{HOOK}</script>", f"<img src=x onerror={HOOK}>", f"<svg onload={HOOK}>",
    f"<iframe src=javascript:{HOOK}>", f"<details open ontoggle={HOOK}>x</details>",
    f"<a href='javascript:{HOOK}'>x</a>", f"[x](javascript:{HOOK})", f"<body onload={HOOK}>",
    f"<input autofocus onfocus={HOOK}>", f"<math><mtext><img src=x onerror={HOOK}>",
    "<style>@import 'http://evil.example/x.css'</style>",
    "<link rel=stylesheet href=//evil.example/a>",
    "<img src=http://evil.example/a.png>", "![x](http://evil.example/b.png)",
    "![x](//evil.example/c.png)", "[x](http://evil.example/d)", "http://evil.example/e",
    "www.evil.example", "a@evil.example", "<http://evil.example/f>", "[x]: http://evil.example/g",
    "$\\href{http://evil.example}{x}$", "$$\\int_0^1$$", "$x^2$", ":red[x]", ":material/home:",
    ":smile:", ":blue-badge[x]", "**bold**", "*it*", "~~no~~", "`code`", "# head", "> quote",
    "- item", "1. item", "| a | b |", "---", "```", "&lt;b&gt;", "&#60;b&#62;", "<b>b</b>",
    "</div></div>", "<!-- x -->", "{{7*7}}", "${7*7}", "%3Cb%3E", "\\u003cb\\u003e", "a -> b",
    "javascript:alert(1)",
]  # fmt: skip
CORPUS = [*CALLS, *(f"x{payload}y" for payload in CALLS)]


@pytest.fixture(scope="module")
def runs(made: ModuleType, settings: Settings) -> dict[str, str]:
    """A group of three seeds and a worse run."""
    ids = made.make_group(settings, 3)
    pipeline, prepared = made.prepare(settings, ["training.epochs=5"])
    worse = {"train": 0.02, "train_dev": 0.06, "dev": 0.35, "test": 0.35}
    short = made.make_run(settings, pipeline, prepared, name="short", errors=worse)
    return {"first": ids[0], "last": ids[-1], "short": short}


@pytest.fixture(scope="module")
def hostile(settings: Settings, runs: dict[str, str]) -> list[str]:
    """Runs whose every text is an attack, among 100 whose names are, and 100 such tags; two ids."""
    ids = [_hostile_run(settings, offset) for offset in (0, 1)]
    for text in CORPUS:
        with _hostile_writer(settings, text) as writer:
            writer.finish("FINISHED")
    Ledger(settings.ledger_url).append_all(
        [tags.tagged(CORPUS[12], f"{text}{i}", text, author=text) for i, text in enumerate(CORPUS)]
    )
    return ids


def test_every_page_is_listed_here() -> None:
    names = {name.replace("_", "-") for pages in navigation.found().values() for name, _ in pages}
    assert set(EXPECTED) == names


def test_the_first_visitor_of_a_server_may_follow_a_deep_link(
    watched: Any, runs: dict[str, str]
) -> None:
    # Stands before all that visit: the server's first visit was answered "Page not found".
    watched.open(f"/compare?run={runs['short']}&other={runs['last']}", EXPECTED["compare"][1])
    watched.assert_clean()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_page_opens_without_a_word_in_the_console(
    watched: Any, shoot: Callable[[str], Path], runs: dict[str, str], name: str
) -> None:
    path, expect = EXPECTED[name]
    query = {
        "run": f"?experiment=digits&run={runs['first']}",
        "compare": f"?run={runs['short']}&other={runs['last']}",
    }
    watched.open(path + query.get(name, "?experiment=digits"), expect)
    assert shoot(name).stat().st_size > 20_000
    watched.assert_clean()


def test_the_look_is_ours(watched: Any, runs: dict[str, str]) -> None:
    watched.open("/", "is your largest gap")
    assert watched.page.title() == "What next · Gapwise"
    style = "element => getComputedStyle(element)"
    ground = watched.page.locator("[data-testid=stApp]").evaluate(f"{style}.backgroundColor")
    card = watched.page.locator(".st-key-card-ladder")
    assert "246, 248, 251" in watched.page.evaluate(
        "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    ), ground
    assert card.evaluate("e => getComputedStyle(e).borderRadius") == "12px"
    for chrome in ("stToolbar", "stDecoration", "stAppDeployButton"):
        assert not watched.page.locator(f"[data-testid={chrome}]").first.is_visible()


def test_what_is_looked_at_goes_along_from_page_to_page(watched: Any, runs: dict[str, str]) -> None:
    watched.open(f"/run?experiment=digits&run={runs['first']}&split=train_dev", "Error by class")
    assert f"run={runs['first']}" in watched.page.url
    watched.page.get_by_role("link", name="Compare").click()
    watched.page.get_by_text("Fixed by B").first.wait_for(timeout=60_000)
    watched.settle()
    assert "/compare" in watched.page.url
    assert f"run={runs['first']}" in watched.page.url
    assert "split=train_dev" in watched.page.url
    watched.assert_clean()


def test_a_next_step_shows_its_command(
    watched: Any, shoot: Callable[[str], Path], runs: dict[str, str]
) -> None:
    watched.open("/?experiment=digits", "What to turn next")
    watched.page.get_by_role("button", name="Try").first.click()
    watched.page.get_by_text("The command").first.wait_for(timeout=20_000)
    watched.settle()
    assert "gapwise train digits" in watched.text()
    shoot("what-next-try")
    watched.assert_clean()


def test_pictures_come_from_our_route(watched: Any, runs: dict[str, str]) -> None:
    watched.open(f"/run?experiment=digits&run={runs['first']}", "Worst examples")
    picture = watched.page.locator("img.picture").first
    picture.scroll_into_view_if_needed()
    watched.page.wait_for_timeout(1500)
    assert "/pictures/" in picture.get_attribute("src")
    assert picture.evaluate("image => image.naturalWidth") >= 96
    watched.assert_clean()


@pytest.mark.parametrize("page", ["what-next", "runs", "run", "compare", "errors"])
def test_b1_text_from_data_is_text(
    watched: Any, shoot: Callable[[str], Path], hostile: list[str], page: str
) -> None:
    first, second = hostile
    path = {
        "what-next": f"/?run={first}",
        "runs": "/runs",
        "run": f"/run?run={first}",
        "compare": f"/compare?run={first}&other={second}",
        "errors": f"/errors?run={first}",
    }[page]
    watched.page.goto(f"{watched.base}{path}")
    watched.page.locator("[data-testid=stMarkdown] h1").first.wait_for(timeout=60_000)
    watched.settle()
    watched.page.mouse.wheel(0, 20_000)
    watched.page.wait_for_timeout(1500)
    shoot(f"hostile-{page}")
    assert watched.page.evaluate("() => window.pwned") is None
    links = watched.page.eval_on_selector_all("a", "all => all.map(a => a.href)")
    sources = watched.page.eval_on_selector_all("img", "all => all.map(i => i.src)")
    assert [url for url in [*links, *sources] if "evil" in url or "javascript" in url] == []
    if page == "run":
        assert f"<img src=x onerror={HOOK}>" in watched.text()
    if page == "errors":
        watched.page.locator(".table", has_text=f"<script>{HOOK}</script>").first.wait_for()
    watched.assert_clean()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({}, 403),
        ({"Origin": "own"}, 101),
    ],
    ids=["forged host", "forged origin", "no origin", "own page"],
)
def test_b6_the_servers_websocket_checks_host_and_origin(
    address: str, headers: dict[str, str], status: int
) -> None:
    where = urlsplit(address)
    fields = {"Host": where.netloc} | headers
    if fields.get("Origin") == "own":
        fields["Origin"] = address
    assert _handshake(where, fields) == status


def test_n1_it_listens_on_this_machine_alone(address: str) -> None:
    port = f"{urlsplit(address).port:04X}"
    tables_ = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    if not tables_[0].exists():
        pytest.skip("no /proc/net/tcp on this system")
    listening = [
        line.split()[1]
        for table in tables_
        if table.exists()
        for line in table.read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{port}")
    ]
    assert listening == [f"0100007F:{port}"]


def _handshake(where: Any, fields: dict[str, str]) -> int:
    lines = ["GET /_stcore/stream HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
    lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""]
    with socket.create_connection((where.hostname, where.port), timeout=20) as raw:
        raw.sendall("\r\n".join(lines).encode())
        first = raw.recv(200).decode(errors="replace")
    match = re.match(r"HTTP/1\.1 (\d+)", first)
    assert match, first
    return int(match[1])


def _hostile_run(settings: Settings, offset: int) -> str:
    classes = tuple(dict.fromkeys(text[:60] for text in CALLS))[:20]
    with _hostile_writer(settings, CORPUS[offset]) as writer:
        writer.log_parameters({f"p{i}": text for i, text in enumerate(CORPUS)})
        for split in ("train", "train_dev", "dev"):
            path = writer.folder / "predictions" / f"{split}.parquet"
            tables.write(path, _hostile_table(split, classes, offset))
            writer.log_file(path, "predictions")
        writer.finish("FINISHED")
    return writer.run_id


def _hostile_writer(settings: Settings, name: str) -> RunWriter:
    return RunStore(settings).create(
        experiment="<b>hostile</b> **x**",
        name=name,
        kind="record",
        seed=None,
        group=None,
        dataset=CORPUS[12],  # one for all, so that they can be compared
        tags={"gapwise.notes": "\n".join(CORPUS), "gapwise.same_distribution": "false"},
    )


def _hostile_table(split: str, classes: tuple[str, ...], offset: int) -> Predictions:
    n = 3 * len(CORPUS)
    target = np.arange(n) % len(classes)
    wrong = np.arange(n) % 3 == offset
    predicted = np.where(wrong, (target + 1) % len(classes), target)
    ids = [f"{CORPUS[i % len(CORPUS)]}{i}" for i in range(n)]
    return Predictions(
        split=split,
        example_id=np.array(ids),
        target=target,
        predicted=predicted,
        error=wrong.astype(float),
        weight=np.ones(n),
        classes=classes,
        source=np.array([CORPUS[i % 40] for i in range(n)]),
    )
