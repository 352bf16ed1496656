"""The desk's routes: what goes out, what comes in, and what is refused, each event alone."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from dashboards import books, data, desk_routes, who
from dashboards.guard import Guard
from gapwise.ledger import labels, looks, tags
from gapwise.ledger.campaigns import Campaign
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows import campaign_members

APP = Starlette(routes=desk_routes.routes())
GUARDED = Starlette(routes=desk_routes.routes(), middleware=[Middleware(Guard)])


@pytest.fixture(autouse=True)
def _fresh() -> None:
    books._books.cache_clear()
    books._ledger.cache_clear()
    data._dataset.cache_clear()


@pytest.fixture
def run(stored: Path) -> str:
    return RunStore(Settings.read()).open("short").run_id


@pytest.fixture
def ledger(stored: Path) -> Ledger:
    return Ledger(Settings.read().ledger_url)


class Desk:
    """A browser that is set to one person's name."""

    def __init__(self, asgi: ModuleType, run: str, name: str = "ann") -> None:
        self._asgi = asgi
        self.run = run
        self.headers = {"cookie": who.cookie(name).partition(";")[0]}

    def get(self, path: str, **query: Any) -> tuple[int, Any]:
        query = {"run": self.run, "split": "dev"} | query
        answer = self._asgi.http(APP, "GET", f"/desk/{path}?{urlencode(query)}", self.headers)
        return answer.status, json.loads(answer.body)

    def post(self, *events: Any, split: str = "dev") -> Any:
        body = {"run": self.run, "split": split, "events": list(events)}
        status, told = self.send(json.dumps(body).encode())
        assert status == 200, told
        return told

    def send(self, body: bytes) -> tuple[int, Any]:
        answer = self._asgi.http(APP, "POST", "/desk/events", self.headers, body)
        return answer.status, json.loads(answer.body)


@pytest.fixture
def desk(asgi: ModuleType, run: str) -> Desk:
    return Desk(asgi, run)


def names(desk: Desk, **query: Any) -> list[str]:
    status, told = desk.get("list", **query)
    assert status == 200, told
    return [item["id"] for item in told["items"]]


def test_a_list_is_a_part_of_one_random_order(desk: Desk) -> None:
    table = data.predictions(desk.run, "dev")
    wrong = set(table.example_id[table.error > 0].tolist())
    whole = names(desk, limit=1000)
    assert set(whole) == wrong
    assert names(desk, limit=10) + names(desk, offset=10, limit=10) == whole[:20]
    item = desk.get("list", limit=1)[1]["items"][0]
    assert not item["right"]
    assert (item["tags"], item["read"], item["review"]) == ([], False, None)
    eyeball, black = (names(desk, half=half, limit=1000) for half in ("eyeball", "blackbox"))
    assert set(eyeball) | set(black) == wrong
    assert not set(eyeball) & set(black)


def test_views_are_ranked_by_what_they_are_called_after(desk: Desk, stored: Path) -> None:
    table = data.predictions(desk.run, "dev")
    assert table.loss is not None
    loss = dict(zip(table.example_id.tolist(), table.loss.tolist(), strict=True))
    ranked = [loss[name] for name in names(desk, view="loss", limit=50)]
    assert ranked == sorted(ranked, reverse=True)
    status, told = desk.get("list", view="broken")
    assert (status, told["why"]) == (400, "flips need another run; choose one")
    status, told = desk.get("list", view="wrnog")
    assert status == 400
    assert "did you mean wrong" in told["why"]
    status, told = desk.get("list", slice="class=x")
    assert status == 400
    assert "column class has no value 'x'" in told["why"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{", b"[]", b"\xff", b"7"])
def test_events_that_cannot_be_read_are_refused(desk: Desk, body: bytes) -> None:
    status, told = desk.send(body)
    assert status == 400
    assert told["why"].startswith("events cannot be read")


def test_one_example_in_full(desk: Desk) -> None:
    first = names(desk, limit=1)[0]
    status, one = desk.get("one", id=first)
    assert status == 200
    assert one["id"] == first
    assert len(one["scores"]) == 5
    assert [other["right"] for other in one["others"]].count(False) <= len(one["others"]) == 3
    assert desk.get("one", id="nobody") == (400, {"why": "dev has no example 'nobody'"})


def test_what_is_pressed_is_saved_under_the_browsers_name(desk: Desk, ledger: Ledger) -> None:
    first, second = names(desk, limit=2)
    told = desk.post(
        {"key": "a", "do": "tag", "id": first, "tag": "thin"},
        {"key": "b", "do": "comment", "id": second, "text": "odd"},
        {"key": "c", "do": "setting", "tag": "thin", "hotkey": "t", "effort": "2"},
    )
    assert (told["saved"], told["refused"]) == (["a", "b", "c"], [])
    assert {event.author for event in ledger.events()} == {"ann"}
    book = tags.book(ledger, "digits")
    assert (book.of(first), book.comments[second]) == (["thin"], "odd")
    assert desk.post({"key": "a", "do": "tag", "id": first, "tag": "thin"})["saved"] == ["a"]
    assert ledger.revision() == 3
    items = desk.get("list", tag="thin")[1]["items"]
    assert [item["id"] for item in items] == [first]
    table = desk.get("table", sample=100)[1]
    assert (table["read"], table["rows"][0]["name"]) == (2, "thin")
    assert {"tag": "thin", "hotkey": "t", "effort": 2.0} in table["settings"]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({"key": "x", "do": "tag", "id": "nobody", "tag": "t"}, "dev has no example 'nobody'"),
        ({"key": "x", "do": "tga", "id": "?", "tag": "t"}, "did you mean tag"),
        ({"key": "x", "do": "tag", "id": "?", "tag": "t" * 300}, "a tag has 300 characters"),
        ({"key": "x", "do": "tag", "id": "?", "tag": "a\0b"}, "holds a NUL character"),
        ({"key": "x", "do": "tag", "id": "?"}, "the event lacks 'tag'"),
        ({"key": "x", "do": "comment", "id": "?", "text": "c" * 5000}, "a comment has 5000"),
        ({"key": "x", "do": "setting", "tag": "t", "effort": "much"}, "cannot be read"),
        ({"key": "x", "do": "setting", "tag": "t", "effort": "-1"}, "no positive number"),
        (
            {"key": "x", "do": "review", "id": "?", "verdict": "kepe", "seen": 0},
            "did you mean keep",
        ),
        ({"key": "x", "do": "review", "id": "?", "verdict": "keep"}, "the event lacks 'seen'"),
        ({"key": "x", "do": "answer", "id": "?", "label": "1", "distribution": "dev"}, "not known"),
        ({"key": "", "do": "tag", "id": "?", "tag": "t"}, "an event needs a key"),
        ("no event", "cannot be read"),
    ],
)
def test_g8_what_cannot_be_is_refused_alone(
    desk: Desk, ledger: Ledger, event: Any, why: str
) -> None:
    first = names(desk, limit=1)[0]
    if isinstance(event, dict) and event.get("id") == "?":
        event = event | {"id": first}
    good = {"key": "good", "do": "tag", "id": first, "tag": "thin"}
    told = desk.post(event, good)
    assert told["saved"] == ["good"]
    assert why in told["refused"][0]["why"]
    assert ledger.revision() == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"run": "r", "split": "dev", "events": {}}', b"\xff",
     b'{"run": "nobody", "split": "dev", "events": []}'],
)  # fmt: skip
def test_a_request_that_cannot_be_read_saves_nothing(
    desk: Desk, ledger: Ledger, body: bytes
) -> None:
    status, told = desk.send(body)
    assert status == 400
    assert told["why"]
    assert ledger.revision() == 0
    assert desk.send(b" " * 1_000_001)[0] == 413


def test_g3_the_second_reviewer_is_told_what_the_first_said(
    desk: Desk, asgi: ModuleType, ledger: Ledger
) -> None:
    first = names(desk, limit=1)[0]
    review = {"do": "review", "id": first, "verdict": "change", "seen": 0}
    desk.post(review | {"key": "a", "label": "3"})
    bob = Desk(asgi, desk.run, "bob")
    told = bob.post(review | {"key": "b", "label": "5"})
    assert told["saved"] == []
    (refused,) = told["refused"]
    assert refused["conflict"]["by"] == "ann"
    assert refused["conflict"]["label"] == "3"
    bob.post(review | {"key": "c", "label": "5", "seen": refused["conflict"]["seq"]})
    assert labels.book(ledger, "digits").labels()[first] == "5"
    assert bob.get("one", id=first)[1]["review"]["author"] == "bob"
    given = labels.book(ledger, "digits").given[first]
    desk.post(review | {"key": "d", "label": given, "seen": ledger.revision()})
    assert labels.book(ledger, "digits").reviews[first].verdict == "keep"


def test_a_second_opinion_is_asked_for_blindly(
    desk: Desk, asgi: ModuleType, ledger: Ledger
) -> None:
    rule = Campaign(name="one", run_ids=(desk.run,), splits=("dev",), wrong=5, right=5)
    campaign_members.begin(rule, Settings.read())
    bob = Desk(asgi, desk.run, "bob")
    first, other = names(desk, campaign="one", queue="wrong")[:2]
    given = {item["id"]: item["label"] for item in desk.get("list", limit=1000)[1]["items"]}
    review = {"do": "review", "verdict": "change", "seen": 0, "label": "3", "queue": "wrong"}
    desk.post(review | {"key": "a", "id": first}, review | {"key": "b", "id": other})
    assert names(desk, campaign="one", queue="second") == []
    status, told = bob.get("list", campaign="one", queue="second")
    assert status == 200
    assert {item["id"] for item in told["items"]} == {first, other}
    assert all(item["review"] is None for item in told["items"])
    assert all(item["label"] == given[item["id"]] for item in told["items"])
    bob.post({"key": "c", "do": "opinion", "id": first, "verdict": "change", "label": "5"})
    assert names(bob, campaign="one", queue="second") == [other]
    assert names(bob, campaign="one", queue="disagree") == [first]
    assert labels.book(ledger, "digits").labels()[first] == "3"
    assert labels.book(ledger, "digits").reviews[first].queue == "wrong"
    status, told = desk.get("list", campaign="one", queue="suspcts")
    assert status == 400
    assert "did you mean suspects" in told["why"]
    assert desk.get("list", campaign="two", queue="wrong")[0] == 400


def test_test_is_shown_only_after_its_look_was_counted(desk: Desk, ledger: Ledger) -> None:
    status, told = desk.get("list", split="test")
    assert status == 400
    assert "the test set was not looked at with this run" in told["why"]
    looks.look(ledger, [desk.run], dataset="digits", author="ann")
    assert desk.get("list", split="test")[0] == 200


def test_b6_another_sites_page_can_post_nothing(desk: Desk, asgi: ModuleType) -> None:
    body = json.dumps({"run": desk.run, "split": "dev", "events": []}).encode()
    own = {"host": "127.0.0.1:8501"}
    for headers in ({}, {"origin": "http://evil.example"}, {"origin": "null"}):
        assert asgi.http(GUARDED, "POST", "/desk/events", own | headers, body).status == 403
    fine = own | {"origin": "http://127.0.0.1:8501"}
    assert asgi.http(GUARDED, "POST", "/desk/events", fine, body).status == 200


def test_a_name_is_set_once_and_kept_in_a_cookie(asgi: ModuleType) -> None:
    answer = asgi.http(APP, "POST", "/desk/name", {}, b'{"name": "  Ada  L. "}')
    assert json.loads(answer.body) == {"name": "Ada L."}
    assert answer.headers["set-cookie"].startswith("gapwise_name=Ada%20L.; Path=/; SameSite=Strict")
    for body in (b'{"name": " "}', b"{}", b"x", b'{"name": "a\\u0000b"}'):
        assert asgi.http(APP, "POST", "/desk/name", {}, body).status == 400


def test_n8_no_text_of_a_request_becomes_sql(desk: Desk, ledger: Ledger) -> None:
    first = names(desk, limit=1)[0]
    odd = "'; DROP TABLE events; --"
    desk.post({"key": odd, "do": "tag", "id": first, "tag": odd})
    assert desk.get("list", tag=odd)[1]["total"] == 1
    assert desk.get("list", words=odd)[1]["total"] == 0
    assert ledger.verify() == 1
