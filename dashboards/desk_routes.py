"""The desk's own routes: lists and examples out, tags, labels and answers in.

What people press is posted here, not sent through a rerun of the page, which loses keys. Every
event carries a key made by the browser: one that is sent again is one event. The author is who has
signed in, or who the browser is set to; never a field of the request.
"""

import json
import logging
from collections.abc import Callable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboards import sign_in, who
from dashboards.who import Person
from gapwise.errors import GapwiseError, UsageError, shown

PREFIX: Final = "/desk"
LONGEST: Final = 1_000_000
"""Bytes of one request."""

MOST: Final = 1000
"""Events of one request, and examples of one list."""

_HEADERS: Final = {"Cache-Control": "no-store"}
_log = logging.getLogger("gapwise.dashboard")


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route(f"{PREFIX}/list", _read(_list), methods=["GET"]),
        Route(f"{PREFIX}/one", _read(_one), methods=["GET"]),
        Route(f"{PREFIX}/table", _read(_table), methods=["GET"]),
        Route(f"{PREFIX}/events", _events, methods=["POST"]),
        Route(f"{PREFIX}/name", _name, methods=["POST"]),
    ]


def _read(answer: Callable[[Request], dict[str, Any]]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answered, answer, request)

    return endpoint


def _answered(answer: Callable[[Request], Any], request: Request) -> Response:
    try:
        return JSONResponse(answer(request), headers=_HEADERS)
    except GapwiseError as error:
        return _refusal(str(error), 400)
    except Exception:
        _log.exception("%s failed", request.url.path)
        return _refusal("the server hit an error of its own; its log names the cause", 500)


def _refusal(why: str, status: int) -> Response:
    return JSONResponse({"why": why}, status, headers=_HEADERS)


def _list(request: Request) -> dict[str, Any]:
    from dashboards import desk_data, label_data
    from gapwise.workflows.example_list import ExampleQuery

    run, split = _subject(request)
    fields = ("view", "half", "words", "slice", "tag")
    given = {name: request.query_params[name] for name in fields if request.query_params.get(name)}
    offset, limit = _number(request, "offset", 0), _number(request, "limit", desk_data.PAGE)
    limit = min(limit, MOST)
    name, kind = (request.query_params.get(key, "") for key in ("campaign", "queue"))
    if name:
        campaign = label_data.named(run, name)
        rows = label_data.queue(campaign, split, kind, _who(request).name)
        return desk_data.part(run, split, rows, offset, limit, blind=kind == "second")
    other = request.query_params.get("other", "")
    return desk_data.page(run, split, ExampleQuery(**given), other, offset, limit)


def _one(request: Request) -> dict[str, Any]:
    from dashboards import desk_data

    return desk_data.one(*_subject(request), request.query_params.get("id", ""))


def _table(request: Request) -> dict[str, Any]:
    from dashboards import desk_data

    return desk_data.table(*_subject(request), max(1, _number(request, "sample", 100)))


def _subject(request: Request) -> tuple[str, str]:
    from dashboards import desk_data

    run, split = (request.query_params.get(name, "") for name in ("run", "split"))
    desk_data.check_open(run, split)
    return run, split


def _who(request: Request) -> Person:
    return who.asking(request.headers, request.cookies)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name) or str(default)
    if not (text.isdecimal() and len(text) < 10):
        raise UsageError(f"{name} is {shown(text)!r}; write a count")
    return int(text)


async def _events(request: Request) -> Response:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            return _refusal(f"more than {LONGEST:,} bytes at once; send them in parts", 413)
    # One turn of a thread: each waits for all pages that compute.
    return await run_in_threadpool(_answered, lambda asked: _saved(body, _who(asked)), request)


def _saved(body: bytes, by: Person) -> dict[str, Any]:
    from dashboards import desk_events

    try:
        document = json.loads(body)
        run, split, events = document["run"], document["split"], document["events"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"events cannot be read: {shown(error)}; send run, split, events"
        ) from error
    if not isinstance(events, list) or len(events) > MOST:
        raise UsageError(f"events are no list of {MOST} at most; send them in parts")
    return desk_events.save(str(run), str(split), events, by)


async def _name(request: Request) -> Response:
    if sign_in.current().is_asked:
        return _refusal("people act under the address that they signed in by", 400)
    try:
        name = who.clean(str((await request.json())["name"]))
    except (ValueError, KeyError, TypeError):
        name = ""
    if not name:
        return _refusal("a name is a word or two; write yours", 400)
    return JSONResponse({"name": name}, headers={**_HEADERS, "Set-Cookie": who.cookie(name)})
