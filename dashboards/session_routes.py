"""The route by which a browser keeps its pass: a page hands it over, the server sets a cookie."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboards import passes, sign_in
from dashboards.guard import is_loopback

PATH: Final = "/pass"
LONGEST: Final = 4096


def route() -> Route:
    """Return the route."""
    return Route(PATH, _keep, methods=["POST"])


async def _keep(request: Request) -> Response:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            return _refused()
    given, way = body.decode("ascii", "replace"), sign_in.current()
    if passes.holder(given, request.cookies, way.key) is None:
        return _refused()
    kept = passes.cookie(given, secure=not is_loopback(request.url.hostname or ""))
    return JSONResponse({}, headers={"Set-Cookie": kept, "Cache-Control": "no-store"})


def _refused() -> Response:
    return JSONResponse({"why": "that is no pass of this browser; sign in again"}, 401)
