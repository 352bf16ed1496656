"""N1, N2, N5, B7: how people sign in, and what answers those who did not."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit.web.server.starlette import starlette_app

from dashboards import doorway, passes, server, sign_in, theme, who
from dashboards.guard import Guard
from dashboards.sign_in import SignIn
from gapwise.errors import GapwiseError, StorageError, UsageError
from gapwise.ledger import team
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"
KEY = b"the server's key"
HOST = "gapwise.example.org"
SIGNED_IN = {passes.SIGNED_IN: "as-Streamlit-signed-it"}
AUTH = {
    "redirect_uri": f"https://{HOST}/oauth2callback",
    "cookie_secret": SECRET,
    "client_id": "gapwise",
    "client_secret": "from the provider",
    "server_metadata_url": "https://id.example.org/.well-known/openid-configuration",
}
PROXY = {"address": f"https://{HOST}", "header": "X-Forwarded-Email", "secret": SECRET}


@pytest.fixture(autouse=True)
def _nobody_signs_in_afterwards() -> Iterator[None]:
    yield
    sign_in.use(SignIn())


@pytest.fixture
def by_oidc(home: Path) -> SignIn:
    """People sign in by OIDC; lea leads."""
    way = SignIn(by="oidc", host=HOST, key=KEY, domains=("example.org",))
    sign_in.use(way)
    team.grant(Ledger(Settings.read().ledger_url), "lea@example.org", "lead", author="root")
    return way


def written(home: Path, **tables: Any) -> Path:
    home.mkdir(exist_ok=True)
    file = home / "sign-in.toml"
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    file.write_text("\n".join(lines))
    file.chmod(0o600)
    return file


# The file.


def test_without_a_file_nobody_signs_in(home: Path) -> None:
    assert sign_in.read(Settings.read()) == SignIn()


def test_a_file_for_oidc(home: Path) -> None:
    file = written(home, auth=AUTH, people={"domains": ["@Example.org"]})
    way = sign_in.read(Settings.read())
    assert (way.by, way.host, way.domains) == ("oidc", HOST, ("example.org",))
    assert SECRET.encode() not in way.key
    assert theme.config(1, "127.0.0.1", way)["secrets.files"] == [str(file)]


def test_a_file_for_a_proxy(home: Path) -> None:
    written(home, proxy=PROXY)
    way = sign_in.read(Settings.read())
    assert (way.by, way.host, way.header, way.secret) == ("proxy", HOST, PROXY["header"], SECRET)
    told = theme.config(1, "127.0.0.1", way)["server.trustedUserHeaders"]
    assert told == {"X-Forwarded-Email": "email"}


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"atuh": AUTH}, r"\[atuh\] is unknown; did you mean auth"),
        ({}, r"needs either \[auth\] or \[proxy\]"),
        ({"auth": AUTH, "proxy": PROXY}, r"needs either \[auth\] or \[proxy\]"),
        ({"auth": AUTH | {"client_id": " "}}, r"\[auth\] lacks client_id"),
        ({"auth": AUTH | {"cookie_secret": "short"}}, "has 5 characters; write 32 or more"),
        ({"proxy": PROXY | {"secret": "x" * 31}}, "has 31 characters"),
        ({"auth": AUTH | {"redirect_uri": f"https://{HOST}/"}}, "must end in /oauth2callback"),
        ({"auth": AUTH | {"redirect_uri": f"http://{HOST}/oauth2callback"}}, "must be https://"),
        ({"proxy": PROXY | {"address": "https://a@b"}}, "must be https://"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(home: Path, tables: dict[str, Any], says: str) -> None:
    written(home, **tables)
    with pytest.raises(UsageError, match=says):
        sign_in.read(Settings.read())


def test_n3_a_file_that_others_can_read_is_refused(home: Path) -> None:
    written(home, auth=AUTH).chmod(0o640)
    with pytest.raises(UsageError, match=r"others can read it \(mode 640\); chmod 600 it"):
        sign_in.read(Settings.read())


def test_a_file_that_is_named_must_be_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPWISE_SIGN_IN", str(home / "gone.toml"))
    with pytest.raises(StorageError, match=r"cannot read .*gone\.toml: No such file"):
        sign_in.read(Settings.read())


# Listening.


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
@pytest.mark.parametrize("word", ["", "yes", "true", server.ANYBODY.upper()])
def test_n2_no_other_address_is_listened_on_without_sign_in(
    home: Path, host: str, word: str
) -> None:
    with pytest.raises(UsageError, match="nobody signs in; set sign-in up"):
        server.serve(8501, host, word)


@pytest.mark.parametrize("word", ["", server.ANYBODY])
def test_n2_other_machines_are_let_in_by_sign_in_or_by_the_word(
    home: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    ran: list[dict[str, Any]] = []
    monkeypatch.setattr("streamlit.App.run", lambda _, config: ran.append(config))
    monkeypatch.setattr("dashboards.logs.set_up", lambda: None)
    monkeypatch.setattr("gapwise.workflows.author.ask_first", lambda _: None)
    monkeypatch.setattr(server.PagesManager, "uses_pages_directory", None)
    monkeypatch.setitem(server._state, "serving", False)
    if not word:
        written(home, auth=AUTH)
    server.serve(8501, "0.0.0.0", word)
    assert ran[0]["server.address"] == "0.0.0.0"
    assert sign_in.current().lets_all_in is bool(word)


def test_n4_who_lets_anybody_in_still_answers_no_foreign_name(asgi: ModuleType) -> None:
    sign_in.use(SignIn(lets_all_in=True))
    for host, status in (("192.168.1.5:8501", 200), ("rebound.example", 403)):
        headers = {"host": host, "origin": f"http://{host}"}
        assert asgi.http(small(), "GET", "/", headers).status == status


# Passes.


def test_a_pass_names_its_person_and_browser(by_oidc: SignIn) -> None:
    given = passes.give("lea@example.org", SIGNED_IN, KEY)
    assert passes.holder(given, SIGNED_IN, KEY) == "lea@example.org"
    assert passes.holder(given, {passes.SIGNED_IN: "another"}, KEY) is None
    assert passes.holder(given, {}, KEY) is None


def test_a_pass_ends(by_oidc: SignIn) -> None:
    given = passes.give("lea@example.org", SIGNED_IN, KEY, now=lambda: 1000.0)
    assert passes.holder(given, SIGNED_IN, KEY, now=lambda: 1000.0 + passes.LASTS)
    assert passes.holder(given, SIGNED_IN, KEY, now=lambda: 1001.5 + passes.LASTS) is None


def test_n5_no_pass_can_be_made_up_or_bent() -> None:
    given = passes.give("vic@example.org", SIGNED_IN, KEY)
    body, _, signature = given.partition(".")
    facts = json.loads(base64.urlsafe_b64decode(body))
    bent = base64.urlsafe_b64encode(json.dumps(["lea@example.org", *facts[1:]]).encode()).decode()
    others = passes.give("lea@example.org", SIGNED_IN, b"another key")
    for wrong in (f"{bent}.{signature}", f"{body}.", body, "", ".", "é.é", others, f"{given}0"):
        assert passes.holder(wrong, SIGNED_IN, KEY) is None, wrong
    assert passes.holder(passes.give("lea@example.org", SIGNED_IN, b""), SIGNED_IN, b"") is None


def test_a_pass_is_hidden_from_scripts_and_from_other_sites() -> None:
    told = passes.cookie("given", secure=True)
    assert {"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= set(told.split("; "))


# Who may ask for what.


async def answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ours")


def small() -> Starlette:
    return Starlette(
        routes=[Route("/{rest:path}", answer, methods=["GET", "POST", "PUT", "DELETE"])],
        middleware=[Middleware(Guard)],
    )


def paths() -> list[str]:
    """The paths of all routes: ours and Streamlit's, taken from the code."""
    streamlits = starlette_app.create_streamlit_routes(MagicMock())
    found = [one.path for one in (*server.routes(), *streamlits) if isinstance(one, Route)]
    return [re.sub(r"\{[^}]*\}", "x", path) for path in found]


OPEN = {
    *("/auth/login", "/auth/logout", "/oauth2callback", "/pass"),
    *("/_stcore/health", "/_stcore/host-config", "/_stcore/bidi-components/x"),
}


def test_n5_every_route_that_holds_data_answers_401(asgi: ModuleType, by_oidc: SignIn) -> None:
    told = {path: asgi.http(small(), "GET", path, {"host": HOST}).status for path in paths()}
    assert {path for path, status in told.items() if status != 401} == OPEN | set(doorway.paths())
    assert {"/desk/list", "/desk/events", "/pictures/x/x", "/media/x"} <= told.keys()
    assert told["/_stcore/metrics"] == told["/_stcore/agent/interact"] == 401


@pytest.mark.parametrize("path", ["/desk/list", "/anything", "/launch/", "/static", "//errors"])
def test_n5_what_is_not_named_open_is_closed(asgi: ModuleType, by_oidc: SignIn, path: str) -> None:
    assert asgi.http(small(), "GET", path, {"host": HOST}).status == 401


@pytest.mark.parametrize("person", ["lea@example.org", "vic@example.org", "eve@evil.example"])
def test_b7_a_pass_opens_for_whoever_has_a_role(
    asgi: ModuleType, by_oidc: SignIn, person: str
) -> None:
    held = SIGNED_IN | {passes.COOKIE: passes.give(person, SIGNED_IN, KEY)}
    told = "; ".join(f"{name}={value}" for name, value in held.items())
    headers = {"host": HOST, "cookie": told}
    status = asgi.http(small(), "GET", "/desk/list", headers).status
    assert status == (401 if person == "eve@evil.example" else 200)


@pytest.mark.parametrize("header", ["x-forwarded-email", "X-Gapwise-Proxy-Secret"])
def test_b7_a_name_without_the_proxys_secret_is_nothing(
    asgi: ModuleType, home: Path, header: str
) -> None:
    sign_in.use(replace(SignIn(by="proxy", host=HOST, key=KEY), header="X-Forwarded-Email",
                        secret=SECRET))  # fmt: skip
    headers = {"host": HOST, header: "lea@example.org"}
    assert asgi.http(small(), "GET", "/", headers).status == 403
    assert not asgi.websocket_opens(small(), "/_stcore/stream", headers)
    assert asgi.http(small(), "GET", "/_stcore/health", headers).status == 200


def test_b7_the_proxy_names_who_asks(asgi: ModuleType, home: Path) -> None:
    sign_in.use(
        SignIn(by="proxy", host=HOST, key=KEY, header="X-Forwarded-Email", secret=SECRET,
               domains=("example.org",))
    )  # fmt: skip
    proxied = {"host": HOST, "x-gapwise-proxy-secret": SECRET}
    assert asgi.http(small(), "GET", "/desk/list", proxied).status == 401
    for person, status in (("Vic@Example.org", 200), ("vic@example.org.evil.example", 401)):
        headers = proxied | {"x-forwarded-email": person}
        assert asgi.http(small(), "GET", "/desk/list", headers).status == status


def test_b7_a_name_that_stands_there_twice_is_refused(asgi: ModuleType, home: Path) -> None:
    sign_in.use(
        SignIn(by="proxy", host=HOST, key=KEY, header="X-Forwarded-Email", secret=SECRET,
               domains=("example.org",))
    )  # fmt: skip
    twice = {"host": HOST, "x-gapwise-proxy-secret": SECRET, "x-forwarded-email": "a@example.org",
             "X-Forwarded-Email": "lea@example.org"}  # fmt: skip
    assert asgi.http(small(), "GET", "/desk/list", twice).status == 403
    assert not asgi.websocket_opens(small(), "/_stcore/stream", twice)


def test_b7_an_author_is_who_signed_in_and_no_cookie_of_theirs(by_oidc: SignIn) -> None:
    held = SIGNED_IN | {who.COOKIE: "somebody", passes.COOKIE: ""}
    assert who.asking({}, held) == who.Person(name="", role=None)
    held[passes.COOKIE] = passes.give("lea@example.org", SIGNED_IN, KEY)
    assert who.asking({}, held) == who.Person(name="lea@example.org", role="lead")


# Roles.


def test_roles_follow_one_another_and_are_taken_away(home: Path) -> None:
    ledger = Ledger(Settings.read().ledger_url)
    for role in ("viewer", "lead", "none", "tagger"):
        team.grant(ledger, " Ann@Example.org ", role, author="root")
        expected = {} if role == "none" else {"ann@example.org": role}
        assert team.roles(ledger) == expected
    assert ledger.verify() == 4


def test_each_role_holds_those_before_it() -> None:
    order = [None, *team.ROLES]
    for place, own in enumerate(order):
        held = [team.holds(own, needed) for needed in team.ROLES]
        assert held == [True] * place + [False] * (len(team.ROLES) - place)


@pytest.mark.parametrize(
    ("person", "role", "says"),
    [("ann@example.org", "boss", "role 'boss'"), ("ann", "lead", "is no e-mail address")],
)
def test_a_wrong_role_or_person_is_refused(home: Path, person: str, role: str, says: str) -> None:
    with pytest.raises(GapwiseError, match=says):
        team.grant(Ledger(Settings.read().ledger_url), person, role, author="root")
