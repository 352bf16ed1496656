"""ASGI middleware: only the dashboard's own pages may talk to it, and only those who signed in.

A page of another site that the user happens to have open can send requests to 127.0.0.1, and by DNS
rebinding it can even read the answers. Such requests carry a foreign Host or Origin: they get 403,
on http and on the websocket alike (Streamlit's own check lets an absent Origin through).

Where people sign in, every path answers 401 without a role, but for those of ``OPEN``: Streamlit's
own program, which holds no data, the sign-in, and the websocket, whose pages ask at their entrance.
"""

import hmac
import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards import doorway, metrics_route, sign_in

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


OPEN: Final = re.compile(
    r"/(static/.*|favicon\.png|manifest\.json"
    r"|_stcore/(health|host-config|stream|bidi-components/.*)"
    r"|auth/(login|logout)|oauth2callback|pass)"
)
"""What anybody may ask for where people sign in, beside the pages' first HTML, which holds no data.
All other paths need a role."""

HEALTH: Final = "/_stcore/health"


class Guard:
    """Answer 403 to a foreign Host or Origin; add headers that keep pages from loading others'."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it before anything of it is read."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and not (
            _allowed_socket(Headers(scope=scope)) and _by_proxy(scope)
        ):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _allowed_http(scope["method"], Headers(scope=scope)):
            text = "403: the dashboard answers pages of its own address only"
            await PlainTextResponse(text, 403, dict(HEADERS))(scope, receive, send)
            return
        if not _by_proxy(scope):
            text = "403: the dashboard answers its proxy only"
            await PlainTextResponse(text, 403, dict(HEADERS))(scope, receive, send)
            return
        is_open = not sign_in.current().is_asked or _is_shell(scope["path"]) or _is_monitor(scope)
        if not (is_open or await run_in_threadpool(_has_role, scope)):
            text = "401: sign in on a page of the dashboard"
            await PlainTextResponse(text, 401, dict(HEADERS))(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, with_headers)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address, without a port, means this machine alone."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _allowed_http(method: str, headers: Headers) -> bool:
    host, origin = _one(headers, "host"), _one(headers, "origin")
    if not _host_ok(host) or "" in (host, origin):
        return False
    if origin is None:
        return method in SAFE_METHODS and _not_embedded_elsewhere(headers)
    return _same_origin(origin, host or "")


def _allowed_socket(headers: Headers) -> bool:
    host, origin = _one(headers, "host"), _one(headers, "origin")
    return _host_ok(host) and bool(origin) and _same_origin(origin or "", host or "")


def _one(headers: Headers, name: str) -> str | None:
    """Return the header's value, None where it is absent, "" where it stands there twice."""
    values = headers.getlist(name)
    return values[0].strip() if len(values) == 1 else ("" if values else None)


def _by_proxy(scope: Scope) -> bool:
    """Return whether the proxy sent it, where there is to be one; its health anybody may ask."""
    way = sign_in.current()
    if way.by != "proxy" or scope["path"] == HEALTH:
        return True
    headers = Headers(scope=scope)
    if len(headers.getlist(way.header)) > 1:
        return False  # whoever asks sent one of them
    given = _one(headers, sign_in.SECRET_HEADER) or ""
    return hmac.compare_digest(given.encode(), way.secret.encode())


def _is_shell(path: str) -> bool:
    return path in doorway.paths() or bool(OPEN.fullmatch(path))


def _is_monitor(scope: Scope) -> bool:
    given = _one(Headers(scope=scope), "authorization") or ""
    token = sign_in.current().metrics_token
    return scope["path"] == metrics_route.PATH and metrics_route.is_scraper(given, token)


def _has_role(scope: Scope) -> bool:
    """Return whether whoever asks has signed in and may look."""
    from dashboards import who  # late: Streamlit's parts want its settings to be there first

    asking = HTTPConnection(scope)
    return who.asking(asking.headers, asking.cookies).role is not None


def _host_ok(host: str | None) -> bool:
    if not host:
        return False
    try:
        parts = urlsplit(f"//{host}")
        named = parts.hostname or ""
        parts.port  # noqa: B018  (raises ValueError where it is no port)
    except ValueError:
        return False
    if parts.netloc != host or "@" in host:
        return False
    return is_loopback(named) or host.lower() == sign_in.current().host or _is_open(named)


def _is_open(named: str) -> bool:
    """Return whether everybody may come, by an address: a name may be another site's own."""
    if not sign_in.current().lets_all_in:
        return False
    try:
        return bool(ipaddress.ip_address(named))
    except ValueError:
        return named == socket.gethostname().lower()


def _same_origin(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    plain = origin == f"{parts.scheme}://{parts.netloc}"
    return plain and parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()


def _not_embedded_elsewhere(headers: Headers) -> bool:
    """Refuse what another site loads into its own page; following a link to us is fine."""
    site = headers.get("sec-fetch-site", "none")
    return site in {"none", "same-origin"} or headers.get("sec-fetch-mode") == "navigate"
