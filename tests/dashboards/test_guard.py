"""Who may talk to the dashboard: a matrix of Host and Origin, over http and the websocket."""

import itertools
from types import ModuleType

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dashboards.guard import Guard

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
HOSTS = ["127.0.0.1:8501", "localhost:8501", "[::1]:8501", "127.0.0.1"]
FORGED_HOSTS = [
    "evil.example", "evil.example:8501", "127.0.0.1.evil.example", "localhost.evil.example:8501",
    "0.0.0.0:8501", "192.168.1.5:8501", "localhost@evil.example", "127.0.0.1:8501@evil.example",
    "localhost:port", "", "127.0.0.1:8501/x", "localhost#x",
]  # fmt: skip
FORGED_ORIGINS = [
    "https://evil.example", "http://127.0.0.1:9999", "http://localhost.evil.example", "null",
    "http://127.0.0.1:8501.evil.example", "file://", "http://127.0.0.1:8501/path", "127.0.0.1:8501",
]  # fmt: skip


async def answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ours")


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("ours")
    await socket.close()


@pytest.fixture(scope="module")
def app() -> Starlette:
    routes = [Route("/", answer, methods=METHODS), WebSocketRoute("/stream", stream)]
    return Starlette(routes=routes, middleware=[Middleware(Guard)])


@pytest.mark.parametrize(("method", "host"), list(itertools.product(METHODS, HOSTS)))
def test_n4_own_pages_are_answered(
    asgi: ModuleType, app: Starlette, method: str, host: str
) -> None:
    headers = {"host": host, "origin": f"http://{host}"}
    assert asgi.http(app, method, "/", headers).status == 200


@pytest.mark.parametrize(("method", "host"), list(itertools.product(METHODS, FORGED_HOSTS)))
def test_n4_a_forged_host_gets_403(
    asgi: ModuleType, app: Starlette, method: str, host: str
) -> None:
    for headers in ({"host": host}, {"host": host, "origin": f"http://{host}"}):
        assert asgi.http(app, method, "/", headers).status == 403


@pytest.mark.parametrize(("method", "origin"), list(itertools.product(METHODS, FORGED_ORIGINS)))
def test_n4_a_foreign_origin_gets_403(
    asgi: ModuleType, app: Starlette, method: str, origin: str
) -> None:
    headers = {"host": "127.0.0.1:8501", "origin": origin}
    assert asgi.http(app, method, "/", headers).status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_n4_a_change_without_origin_gets_403(asgi: ModuleType, app: Starlette, method: str) -> None:
    assert asgi.http(app, method, "/", {"host": "127.0.0.1:8501"}).status == 403


def test_n4_another_site_cannot_embed_but_may_link(asgi: ModuleType, app: Starlette) -> None:
    embedded = {"host": "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    linked = embedded | {"sec-fetch-mode": "navigate"}
    assert asgi.http(app, "GET", "/", embedded).status == 403
    assert asgi.http(app, "GET", "/", linked).status == 200


def test_every_answer_forbids_foreign_content(asgi: ModuleType, app: Starlette) -> None:
    for host in ("localhost", "evil.example"):
        headers = asgi.http(app, "GET", "/", {"host": host}).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_b6_the_websocket_of_own_pages_opens(asgi: ModuleType, app: Starlette) -> None:
    headers = {"host": "localhost:8501", "origin": "http://localhost:8501"}
    assert asgi.websocket_opens(app, "/stream", headers)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        *(("127.0.0.1:8501", origin) for origin in FORGED_ORIGINS),
        *((host, f"http://{host}") for host in FORGED_HOSTS),
        ("127.0.0.1:8501", None),
    ],
)
def test_b6_a_forged_or_absent_origin_opens_no_websocket(
    asgi: ModuleType, app: Starlette, host: str, origin: str | None
) -> None:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    assert not asgi.websocket_opens(app, "/stream", headers)
