"""The smallest ASGI client: one request, or one opening of a websocket, without any clean-up."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Answer:
    """Status, headers in small letters, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def http(
    app: Any, method: str, path: str, headers: Mapping[str, str], content: bytes = b""
) -> Answer:
    """Send one request as it stands."""
    sent = _talk(app, _scope("http", path, headers) | {"method": method}, content)
    start = next(message for message in sent if message["type"] == "http.response.start")
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    body = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    return Answer(start["status"], found, body)


def websocket_opens(app: Any, path: str, headers: Mapping[str, str]) -> bool:
    """Whether a websocket is accepted."""
    sent = _talk(app, _scope("websocket", path, headers) | {"subprotocols": []})
    return any(message["type"] == "websocket.accept" for message in sent)


def _scope(kind: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    path, _, query = path.partition("?")
    decoded = {"path": unquote(path), "raw_path": path.encode(), "query_string": query.encode()}
    scheme = "http" if kind == "http" else "ws"
    return {"type": kind, "scheme": scheme, "root_path": "", "headers": raw} | decoded


def _talk(app: Any, scope: dict[str, Any], content: bytes = b"") -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if scope["type"] == "http":
            return {"type": "http.request", "body": content, "more_body": False}
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent
