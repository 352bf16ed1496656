"""A proxy before an HTTP server of this machine that drops, delays, refuses and cuts on request."""

import http.client
import random
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLOW = 20.0
"""Seconds that a request hangs in mode "slow"."""

LATE = 0.05
"""Seconds that an answer comes late in mode "any"."""


class Proxy(ThreadingHTTPServer):
    """Passes requests on as ``mode`` says.

    ``pass``; ``drop`` (the connection ends without an answer); ``slow`` (no answer for long);
    ``500``, ``401`` (that answer, and the server never learns); ``cut`` (the server does it, half
    of its answer arrives); ``cut first`` (the same, for the first of equal requests); ``half``
    (half of an upload arrives, and is answered with success); ``503`` (to uploads alone); ``any``
    (each drawn at random, half of them pass, a few late).
    """

    daemon_threads = True
    mode = "pass"

    def __init__(self, upstream: int, seed: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.over = threading.Event()
        self.log: Counter[str] = Counter()
        self.seen: set[tuple[str, bytes]] = set()
        self.passed: Counter[tuple[str, bytes]] = Counter()
        self._draw = random.Random(seed)

    def next_mode(self) -> str:
        """Return what happens to the next request, and count it."""
        mode = self.mode
        if mode == "any":
            mode = self._draw.choice(["pass", "pass", "pass", "late", "drop", "500", "cut"])
        self.log[mode] += 1
        return mode


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        mode = self.server.next_mode()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.close_connection = True
        if mode == "drop":
            return
        if mode in ("slow", "late"):
            self.server.over.wait(SLOW if mode == "slow" else LATE)
            if mode == "slow":
                return
        if mode == "half" and self.command == "PUT":
            body = body[: len(body) // 2]
        if mode in ("500", "401") or (mode == "503" and self.command == "PUT"):
            self._send(int(mode), b"no")
            return
        status, content = self._passed_on(body)
        if self._is_cut(mode, body):
            # The server did it; whoever asked never learns.
            self._send(status, content, sent=len(content) // 2)
            return
        self._send(status, content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815

    def _is_cut(self, mode: str, body: bytes) -> bool:
        if mode == "cut first" and self.command == "POST":
            is_first = (self.path, body) not in self.server.seen
            self.server.seen.add((self.path, body))
            return is_first
        return mode == "cut" and self.command == "POST"

    def _passed_on(self, body: bytes) -> tuple[int, bytes]:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        left = ("accept-encoding", "content-length")  # the length is that of what is passed on
        headers = {k: v for k, v in self.headers.items() if k.lower() not in left}
        self.server.passed[self.path, body] += 1
        upstream.request(self.command, self.path, body, headers)
        reply = upstream.getresponse()
        content = reply.read()
        upstream.close()
        return reply.status, content

    def _send(self, status: int, content: bytes, sent: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:sent])
